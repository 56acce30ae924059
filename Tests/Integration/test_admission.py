"""Limits: what ends, whom, and that others are served all the while."""

import socket
import ssl

import pytest

from support.clients import connect, exchange
from support.wait import wait_until


def test_excess_connections_are_turned_away_until_there_is_room(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"max_connections": 2})
    held = [connect(front, pki.orders) for _ in range(2)]
    for stream in held:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
    with pytest.raises(OSError):
        connect(front, pki.orders)
    record = front.wait_for("limit-reached")[0]
    assert record["event"]["reason"] == "limit"
    held.pop().close()
    front.wait_for("connection-closed")
    assert exchange(front, pki.orders) == b"ping"
    held.pop().close()


def test_a_listener_has_limits_of_its_own(gateway, upstream, pki):
    front = gateway(upstream().address, listener={"limits": {"max_connections": 1}})
    with connect(front, pki.orders) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        with pytest.raises(OSError):
            connect(front, pki.orders)
    front.wait_for("limit-reached")


def test_the_oldest_silent_client_goes_where_there_are_too_many(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"max_handshakes": 4}, workers=1)
    silent = [socket.create_connection(front.address) for _ in range(4)]
    assert exchange(front, pki.orders) == b"ping"
    record = front.wait_for("limit-reached")[0]
    assert record["source"]["port"] == silent[0].getsockname()[1]
    silent[0].settimeout(5)
    assert silent[0].recv(1) == b""
    for each in silent:
        each.close()


def test_a_silent_client_ends_with_the_handshake_timeout(gateway, upstream):
    front = gateway(upstream().address, limits={"handshake_timeout": "1s"})
    with socket.create_connection(front.address, timeout=10) as silent:
        silent.sendall(b"\x16")
        assert silent.recv(1) == b""
    front.wait_for("handshake-failed", reason="timeout")


def test_an_idle_connection_ends(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"idle_timeout": "1s"})
    with connect(front, pki.orders) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        assert stream.recv(1) == b""
    front.wait_for("connection-closed", reason="idle_timeout")


def test_an_old_connection_ends_however_busy(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"max_connection_age": "1s"})
    with connect(front, pki.orders) as stream:

        def ended():
            try:
                stream.sendall(b"x")
                return stream.recv(1) == b""
            except (ssl.SSLError, OSError):
                return True

        wait_until(ended, 10, "the end of an old connection")
    front.wait_for("connection-closed", reason="max_age")


def test_a_connection_ends_with_its_certificate(gateway, upstream, pki):
    brief = pki.worker("orders", "brief", ends=3)
    front = gateway(upstream().address)
    with connect(front, brief) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        assert stream.recv(1) == b""
    record = front.wait_for("connection-revoked", reason="certificate_expired")[0]
    assert "notAfter" in record["countersign"]["change"]
