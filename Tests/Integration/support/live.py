"""Connections that live while what they were let in by changes."""

from .clients import receive
from .gateway import POLICY

BOTH = {**POLICY, "rules": [
    {"name": "orders-may", "action": "allow", "callers": ["worker/orders"]},
    {"name": "billing-may", "action": "allow", "callers": ["worker/billing"]},
]}


def with_rules(*rules):
    return {**POLICY, "rules": list(rules)}


def deny(caller):
    return {"name": f"no-{caller}", "action": "deny", "callers": [f"worker/{caller}"]}


def allow(caller, **keys):
    return {"name": f"{caller}-may", "action": "allow", "callers": [f"worker/{caller}"], **keys}


def alive(stream, data=b"still there"):
    stream.sendall(data)
    return receive(stream, len(data)) == data


def ended(stream):
    """Whether the gateway has ended it well: close_notify, and nothing before it."""
    return stream.recv(1) == b""
