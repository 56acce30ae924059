"""How the process ends, and what it does when it is told something."""

import signal

import pytest

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


def test_the_drain_timeout_ends_the_others(gateway, upstream, pki):
    front = gateway(upstream().address, drain_timeout="1s")
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(signal.SIGTERM)
        assert stream.recv(1) == b""
    assert front.process.wait(30) == 0
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


def test_a_hang_up_changes_nothing_and_says_so(gateway, upstream, pki):
    front = gateway(upstream().address)
    front.signal(signal.SIGHUP)
    wait_until(lambda: "SIGHUP: reloading is not available" in front.stderr(), what="the message")
    assert exchange(front, pki.orders) == b"ping"
