"""How the process ends, and what it does when it is told something."""

import signal
import time

import pytest

from support.chain import verify
from support.clients import connect, exchange
from support.wait import wait_until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_lets_live_connections_end_by_themselves(gateway, upstream, pki, number):
    front = gateway(upstream().address)
    stream = connect(front, pki.orders)
    stream.sendall(b"a")
    assert stream.recv(1) == b"a"
    front.signal(number)
    record = front.wait_for("gateway-stopping")[0]
    assert number.name in record["countersign"]["gateway"]["cause"]

    def is_refused():
        try:
            connect(front, pki.orders).close()
        except OSError:
            return True

    wait_until(is_refused, what="a refusal of new connections")
    stream.sendall(b"b")
    assert stream.recv(1) == b"b"
    assert front.process.poll() is None
    stream.close()
    assert front.process.wait(30) == 0
    assert front.summary()[-1] == ("connection-closed", "client_closed")


@pytest.mark.parametrize("later", [None, "60s"])
def test_the_drain_timeout_ends_the_others(gateway, upstream, pki, later):
    """A drain ends when it was said to, whatever the configuration says meanwhile."""
    front = gateway(upstream().address, drain_timeout="1s")
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(signal.SIGTERM)
        if later:
            front.wait_for("gateway-stopping")
            front.configuration["drain_timeout"] = later
            front.configure()
            front.reload()
        assert stream.recv(1) == b""
    assert front.process.wait(5) == 0
    front.wait_for("connection-closed", reason="drain")


def test_a_second_signal_ends_at_once(gateway, upstream, pki):
    front = gateway(upstream().address)
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(signal.SIGTERM)
        front.wait_for("gateway-stopping")
        front.signal(signal.SIGTERM)
        assert front.process.wait(30) == 1


@pytest.mark.parametrize("first, second", [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)])
def test_any_second_signal_ends_at_once(gateway, upstream, pki, first, second):
    front = gateway(upstream().address, drain_timeout="60s")
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(first)
        front.wait_for("gateway-stopping")
        front.signal(second)
        assert front.process.wait(5) == 1
    assert front.stderr() == (
        f"countersign: {first.name}: draining 1 connection(s) for at most 60 s; a second signal ends at once\n"
        f"countersign: {second.name}: exiting at once; 1 connection(s) end without their record\n")
    assert not front.records("connection-closed")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_without_connections_ends_at_once(gateway, upstream, pki, number):
    front = gateway(upstream().address, drain_timeout="60s")
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    front.signal(number)
    assert front.process.wait(5) == 0
    assert front.summary()[-1][0] == "gateway-stopping"


def test_the_drain_timeout_is_waited_for_and_told_to_all(gateway, upstream, pki):
    front = gateway(upstream().address, drain_timeout="2s")
    streams = [connect(front, pki.orders) for _ in range(5)]
    for stream in streams:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
    begun = time.monotonic()
    front.signal(signal.SIGTERM)
    front.wait_for("gateway-stopping")
    for stream in streams:
        stream.sendall(b"b")
        assert stream.recv(1) == b"b", "a live connection works while it drains"
    for stream in streams:
        assert stream.recv(1) == b""  # close_notify: without it this raises
        stream.close()
    assert time.monotonic() - begun >= 1.9
    assert front.process.wait(10) == 0
    closed = front.wait_for("connection-closed", count=5, reason="drain")
    assert [record["source"]["bytes"] for record in closed] == [2] * 5
    verify(front.lines())


def test_hang_ups_leave_live_connections_alone(gateway, upstream, pki):
    front = gateway(upstream().address)
    with connect(front, pki.orders) as stream:
        for _ in range(3):
            front.reload("countersign: reload: nothing has changed")
            stream.sendall(b"a")
            assert stream.recv(1) == b"a"
    assert not front.records("gateway-stopping")
