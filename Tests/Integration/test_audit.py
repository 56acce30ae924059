"""The log: before the upstream, whole, chained, and a condition of every connection."""

import json
import os
import pathlib
import select
import signal
import socket
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from support import ecs
from support.chain import FIRST, verify
from support.clients import connect, exchange
from support.wait import wait_until


def test_the_record_stands_before_the_upstream_is_dialled(gateway, upstream, pki):
    seen = []
    front = None

    def serve(connection):
        seen.append(front.summary()[-1][0])
        connection.sendall(connection.recv(4))

    front = gateway(upstream(serve).address)
    for _ in range(20):
        assert exchange(front, pki.orders) == b"ping"
        front.wait_for("connection-closed", count=len(seen))
    assert seen == ["connection-allowed"] * 20


def test_without_a_log_nobody_is_let_in(gateway, upstream, pki):
    back = upstream()
    front = gateway(back.address, start=False, audit={"path": "/dev/full"})
    front.start(wait=False)

    def answered():
        try:
            with connect(front, pki.orders) as stream:
                return stream.recv(1) == b""
        except ConnectionRefusedError:
            return False  # it does not listen yet

    wait_until(answered, what="a refusal")
    for _ in range(10):
        assert answered()
    assert back.accepted == 0 and front.process.poll() is None
    front.signal(signal.SIGTERM)
    assert front.process.wait(10) == 0


def test_a_log_that_can_be_written_again_lets_in_again_and_tells_the_gap(gateway, upstream, pki, tmp_path):
    """A pipe whose reader is gone, and a file after it, by way of a rename and SIGUSR1."""
    back = upstream()
    pipe = tmp_path / "gateway" / "audit.log"
    front = gateway(back.address, start=False)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    front.log = tmp_path / "nothing"
    front.start(wait=False)
    wait_until(lambda: _reads(reader), what="the first records")
    os.close(reader)
    with connect(front, pki.orders) as stream:
        assert stream.recv(1) == b""
    assert back.accepted == 0
    pipe.unlink()
    front.log = pipe
    front.signal(signal.SIGUSR1)
    gap = front.wait_for("audit-gap")[0]
    assert gap["countersign"]["gap"]["lost"] >= 1
    assert exchange(front, pki.orders) == b"ping"


def _reads(reader):
    try:
        return os.read(reader, 65536)
    except BlockingIOError:
        return b""


def test_a_rotated_log_goes_on_in_its_chain(gateway, upstream, pki):
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    old = front.log.with_suffix(".1")
    front.log.rename(old)
    front.signal(signal.SIGUSR1)
    wait_until(front.log.exists, what="the new file")
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    last, sequence = verify(old.read_bytes().splitlines(keepends=True))
    verify(front.lines(), last, sequence)


@pytest.mark.parametrize("end", ["drain", "kill"])
def test_a_restart_continues_the_chain(gateway, upstream, pki, end):
    front = gateway(upstream().address)
    for _ in range(3):
        exchange(front, pki.orders)
    front.stop() if end == "drain" else front.kill()
    front.start()
    exchange(front, pki.orders)
    front.wait_for("connection-closed", count=3)
    verify(front.lines())


def test_a_killed_gateway_leaves_a_log_that_verifies(gateway, upstream, pki):
    front = gateway(upstream().address)
    stop = threading.Event()

    def clients():
        while not stop.is_set():
            try:
                exchange(front, pki.orders)
            except OSError:
                return

    threads = [threading.Thread(target=clients) for _ in range(4)]
    for thread in threads:
        thread.start()
    front.wait_for("connection-closed", count=20)
    front.kill()
    stop.set()
    for thread in threads:
        thread.join()
    verify(front.lines())


def test_every_record_is_ecs(gateway, upstream, pki):
    """One of each kind that a client can cause; the fixture holds those of every other test to it, too."""
    front = gateway(upstream().address, limits={"max_connections": 2})
    with connect(front, pki.orders), connect(front, pki.orders):
        front.wait_for("connection-allowed", count=2)
        with pytest.raises(OSError):
            exchange(front, pki.orders)
        front.wait_for("limit-reached")
    front.wait_for("connection-closed", count=2)
    for identity in (pki.billing, pki.unmapped, pki.expired, None):
        try:
            exchange(front, identity)
        except OSError:
            pass
    front.wait_for("connection-denied", count=2)
    front.wait_for("handshake-failed", count=2)
    front.stop()
    records = [ecs.check(line.rstrip(b"\n")) for line in front.lines()]
    assert {record["event"]["action"] for record in records} == {
        "configuration-loaded", "gateway-started", "connection-allowed", "connection-closed", "limit-reached",
        "connection-denied", "handshake-failed", "gateway-stopping",
    }
    assert all(record["observer"]["product"] == "Countersign" for record in records)
    assert len({record["event"]["id"] for record in records}) == len(records)
    verify(front.lines(), FIRST)


@pytest.mark.parametrize("written, changed", [
    (b'"kind":"event"', b'"kind":"events"'), (b'"category":["network"]', b'"category":"network"'),
    (b'"resumed":false', b'"resumed":"false"'), (b'"type":["connection","start","allowed"]', b'"type":["change"]'),
    (b'"source":{"ip":"127.0.0.1"', b'"source":{"ip":"localhost"'), (b'"ecs":{', b'"esc":{'),
    (b'"user":{"name"', b'"user":{"nick":"o","name"'), (b'"established":true', b'"established":1'),
])
def test_a_record_that_is_not_ecs_is_told(gateway, upstream, pki, written, changed):
    """The check is believed for its red as for its green."""
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    front.stop()
    line = next(line.rstrip(b"\n") for line in front.lines() if b'"connection-allowed"' in line)
    ecs.check(line)
    assert written in line
    with pytest.raises((AssertionError, ValueError)):
        ecs.check(line.replace(written, changed))


def test_a_failed_handshake_says_who_it_was(gateway, upstream, pki):
    front = gateway(upstream().address)
    with pytest.raises(OSError):
        exchange(front, pki.expired)
    record = front.wait_for("handshake-failed")[0]
    client = record["tls"]["client"]
    assert client["server_name"] == "localhost"
    assert client["x509"]["alternative_names"] == ["URI:spiffe://acme.example/worker/orders"]
    assert client["x509"]["issuer"]["common_name"] == ["Test CA"]
    assert record["tls"]["established"] is False
    assert record["error"]["message"]


def test_the_upstream_finds_the_record_of_its_own_client(gateway, upstream, pki):
    """Nobody has accepted yet when the file is read: the kernel has, which is when the dial is done."""
    with socket.socket() as back:
        back.bind(("127.0.0.1", 0))
        back.listen()
        back.settimeout(10)
        front = gateway("%s:%d" % back.getsockname())
        for count in range(1, 21):
            with connect(front, pki.orders) as stream:
                poll = select.poll()
                poll.register(back, select.POLLIN)
                assert poll.poll(10_000), "the upstream was not dialled"
                allowed = front.records("connection-allowed")
                assert len(allowed) == count
                assert allowed[-1]["source"]["port"] == stream.getsockname()[1]
                assert len({record["countersign"]["connection"]["id"] for record in allowed}) == count
                back.accept()[0].close()
                assert stream.recv(1) == b""


def test_no_private_key_comes_near_the_log(gateway, upstream, pki):
    """Neither as it stands in its file nor as its number."""
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    for identity in (pki.billing, pki.expired, pki.stranger):
        with pytest.raises((OSError, AssertionError)):
            assert exchange(front, identity) == b"ping"
    front.stop()
    written = front.log.read_bytes() + front.stderr().encode()
    assert b"PRIVATE KEY" not in written
    server = pathlib.Path(front.configuration["listeners"][0]["tls"]["private_key"]).read_bytes()
    for key in (server, *(each.key.read_bytes() for each in (pki.orders, pki.billing, pki.expired))):
        for line in key.splitlines()[1:-1]:
            assert line not in written
        secret = serialization.load_pem_private_key(key, None).private_numbers().private_value
        assert f"{secret:064x}".encode() not in written.lower()


@pytest.mark.parametrize("change", ["a changed byte", "a line taken out", "two lines swapped", "a line twice"])
def test_a_change_of_the_log_shows(gateway, upstream, pki, change):
    front = gateway(upstream().address)
    for count in range(1, 4):
        exchange(front, pki.orders)
        front.wait_for("connection-closed", count=count)
    front.stop()
    lines = front.lines()
    verify(lines)
    changed = {
        "a changed byte": [*lines[:3], lines[3].replace(b"worker/orders", b"worker/ordert"), *lines[4:]],
        "a line taken out": lines[:3] + lines[4:],
        "two lines swapped": [*lines[:3], lines[4], lines[3], *lines[5:]],
        "a line twice": lines[:4] + lines[3:],
    }[change]
    assert changed != lines
    with pytest.raises(AssertionError):
        verify(changed)


def test_a_half_line_is_closed_by_an_audit_gap_as_the_next_record(gateway, upstream, pki):
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    front.stop()
    whole = front.lines()
    last, sequence = verify(whole)
    front.log.write_bytes(b"".join(whole) + whole[-1][: len(whole[-1]) // 2])
    front.start(wait=False)
    lines = wait_until(
        lambda: front.lines() if b'"gateway-started"' in b"".join(front.lines()[len(whole) + 1 :]) else None,
        what="the second start")
    assert lines[: len(whole)] == whole
    assert lines[len(whole)] == whole[-1][: len(whole[-1]) // 2] + b"\n"
    added = lines[len(whole) + 1 :]
    event = json.loads(added[0])["event"]
    assert (event["action"], event["code"]) == ("audit-gap", "CS212E")
    verify(added, last, sequence)
