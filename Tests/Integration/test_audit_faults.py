"""The log cannot be written for a while: what clients get, what is counted, and how it comes back."""

import json
import os
import re
import time

import pytest

from support import faults
from support.chain import verify_torn
from support.clients import connect, exchange, receive
from support.wait import wait_until

KEY = os.urandom(48)
ATTEMPTS = 6


@pytest.fixture
def strike(gateway, upstream, tmp_path):
    """Makes a gateway whose log a fault strikes."""
    made = []

    def make(kind, policy, audit=None, **arguments):
        fault = kind(tmp_path / "log")
        made.append(fault)
        back = upstream()
        key = tmp_path / "audit.key"
        key.write_bytes(KEY)
        key.chmod(0o600)
        settings = {"path": str(fault.path), "when_unavailable": policy, **fault.audit, **(audit or {})}
        if "key" in settings:
            settings["key"] = str(key)
        front = gateway(back.address, start=False, audit=settings, wrapper=fault.wrapper, **arguments)
        fault.prepare(front)
        return fault, front.start(), back

    yield make
    for fault in made:
        fault.close()


def attempt(front, pki):
    """Whether a new connection is let in, and the port it came from."""
    with connect(front, pki.orders) as stream:
        port = stream.getsockname()[1]
        try:
            stream.sendall(b"ping")
            return receive(stream, 4) == b"ping", port
        except OSError:
            return False, port


def told(records):
    gaps = [record["countersign"]["gap"] for record in records if record["event"]["action"] == "audit-gap"]
    return sum(gap["lost"] for gap in gaps), sum(gap["unlogged"] for gap in gaps)


def parsed(data):
    """The records of a log, without the lines that are torn."""
    records = []
    for line in data.splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


SETUPS = {
    "plain": (None, None),
    "synced with a key": ({"durability": "synced", "key": True}, KEY),
}


@pytest.mark.parametrize("policy", ["refuse", "allow_unlogged"])
@pytest.mark.parametrize("kind, setup", [
    (faults.FullDisk, "plain"), (faults.FullDisk, "synced with a key"), (faults.SizeLimit, "plain"),
    (faults.SizeLimit, "synced with a key"), (faults.RemovedFile, "plain"),
    (faults.RemovedFile, "synced with a key"), (faults.ClosedPipe, "plain"),
], ids=lambda value: getattr(value, "__name__", value))
def test_a_log_that_cannot_be_written(strike, pki, kind, setup, policy):
    audit, key = SETUPS[setup]
    fault, front, back = strike(kind, policy, audit)
    with connect(front, pki.orders) as live:
        own = live.getsockname()[1]
        live.sendall(b"ping")
        assert receive(live, 4) == b"ping"
        front.wait_for("connection-allowed")
        fault.strike(front)
        before = back.accepted
        attempts = [attempt(front, pki) for _ in range(ATTEMPTS)]
        admitted = [port for let_in, port in attempts if let_in]
        # Some first records may still have found room; never more than that.
        assert len(admitted) == ATTEMPTS if policy == "allow_unlogged" else len(admitted) <= 2
        assert back.accepted - before == len(admitted)
        # Connections that live go on.
        live.sendall(b"still")
        assert receive(live, 5) == b"still"
        fault.mend(front)
        mended = time.monotonic()
        front.wait_for("audit-gap", timeout=10)
        # A second at most until the next probe; the rest is for a busy machine.
        assert time.monotonic() - mended < 4
        # Who comes while the gap is being written may still find the log down.
        wait_until(lambda: attempts.append(attempt(front, pki)) or attempts[-1][0], timeout=3, what="an admission")
        live.sendall(b"again")
        assert receive(live, 5) == b"again"
    ports = {port for _, port in attempts}

    def records_of(ports, action=None):
        return [
            record for record in parsed(fault.data())
            if record.get("source", {}).get("port") in ports and action in (None, record["event"]["action"])
        ]

    def missing():
        """A connection is two records, its verdict and its end: each is in the log or was counted, none twice."""
        return 2 * len(attempts) + 2 - len(records_of(ports | {own})) - told(parsed(fault.data()))[0]

    wait_until(lambda: missing() == 0, what="an exact count")
    recorded = {record["source"]["port"] for record in records_of(ports, "connection-allowed")}
    lost, unlogged = told(parsed(fault.data()))
    assert lost >= 2 * (ATTEMPTS - 2)
    assert unlogged == (len(attempts) - len(recorded) if policy == "allow_unlogged" else 0)
    if policy == "refuse":
        assert {port for let_in, port in attempts if let_in} <= recorded
    front.stop()
    records, torn = verify_torn(fault.data(), key)
    assert kind is faults.ClosedPipe or torn == 0
    said = front.stderr()
    assert ("WITHOUT A RECORD" in said) == (policy == "allow_unlogged")
    again = re.findall(r"is written again: (\d+) records were lost, (\d+) connections", said)
    # A full disk may have room for a short record yet: then the log fails twice. What is lost while a gap is being
    # written is told behind it, without an alarm of its own.
    assert 1 <= said.count("countersign: alarm: ") <= min(len(again), 2 if kind is faults.FullDisk else 1)
    assert (sum(int(a) for a, _ in again), sum(int(b) for _, b in again)) == (lost, unlogged)


@pytest.mark.parametrize("policy", ["refuse", "allow_unlogged"])
def test_a_reader_that_stops(strike, pki, policy):
    fault, front, back = strike(faults.SlowReader, policy, limits={"handshake_timeout": "2s"})
    with connect(front, pki.orders) as live:
        live.sendall(b"ping")
        assert receive(live, 4) == b"ping"
        front.wait_for("connection-allowed")
        fault.strike(front)
        # Until the pipe is full: from then on records wait.
        let_in = []
        while "countersign: alarm: " not in front.stderr():
            let_in.append(attempt(front, pki)[0])
        waiting = [attempt(front, pki) for _ in range(3)]
        assert {admitted for admitted, _ in waiting} == {policy == "allow_unlogged"}
        assert back.accepted == 1 + sum(let_in) + sum(admitted for admitted, _ in waiting)
        live.sendall(b"still")
        assert receive(live, 5) == b"still"
        fault.mend(front)
        wait_until(lambda: attempt(front, pki)[0], timeout=5, what="a connection that is let in again")
    front.stop()
    wait_until(lambda: b'"gateway-stopping"' in fault.data(), what="the end of the log")
    records, torn = verify_torn(fault.data())
    # Nothing was lost: the records had a place to wait in.
    assert torn == 0
    closed = [record for record in records if record["event"]["action"] == "connection-closed"]
    unlogged = {record["source"]["port"] for record in closed if record["countersign"].get("unlogged")}
    assert told(records) == (0, len(unlogged))
    refused = {
        record["source"]["port"] for record in records
        if record["event"].get("reason") == "audit_unavailable"
    }
    if policy == "allow_unlogged":
        assert unlogged.issuperset(port for _, port in waiting) and not refused and all(let_in)
    else:
        assert refused.issuperset(port for _, port in waiting) and not unlogged
    assert "too slow" in front.stderr() and "is written again: 0 records were lost" in front.stderr()


def test_a_file_that_is_removed_is_made_anew(gateway, upstream, pki):
    """Nothing is let in on records that go to a file without a name."""
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    front.log.unlink()
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    front.stop()
    actions = [action for action, _ in front.summary()]
    assert actions[:3] == ["audit-gap", "connection-allowed", "connection-closed"]
    gap = front.records("audit-gap")[0]
    assert "was removed" in gap["error"]["message"] and gap["countersign"]["gap"]["lost"] == 0
    # The chain goes on, so that the missing beginning shows.
    assert gap["countersign"]["integrity"]["previous"] != "0" * 64
    assert "was removed" in front.stderr()
