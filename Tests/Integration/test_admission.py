"""Limits: what ends, whom, and that others are served all the while."""

import socket
import ssl
import time

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
    assert record["countersign"]["limit"] == {
        "name": "max_connections", "value": 2, "scope": "gateway", "count": 1}
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
    assert front.wait_for("limit-reached")[0]["countersign"]["limit"]["scope"] == "listener"


@pytest.mark.parametrize("common, own, expected", [("1h", "1s", "idle_timeout"), ("1s", "1h", "client_closed")])
def test_a_listeners_own_timeout_goes_before_the_common_one(gateway, upstream, pki, common, own, expected):
    front = gateway(
        upstream().address, limits={"idle_timeout": common}, listener={"limits": {"idle_timeout": own}})
    with connect(front, pki.orders, timeout=3) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        if expected == "idle_timeout":
            assert stream.recv(1) == b""
        else:
            with pytest.raises(TimeoutError):
                stream.recv(1)
    front.wait_for("connection-closed", reason=expected)


def test_a_refused_client_that_stays_does_not_keep_its_place(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"max_connections": 1})
    stays = connect(front, pki.billing)
    front.wait_for("connection-denied")

    def is_served():
        try:
            return exchange(front, pki.orders) == b"ping"
        except OSError:
            return False

    wait_until(is_served, what="room beside a refused client that stays")
    stays.close()


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


def test_a_connection_with_traffic_is_not_idle(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"idle_timeout": "1s"})
    with connect(front, pki.orders) as stream:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            stream.sendall(b"x")
            assert stream.recv(1) == b"x"
    front.wait_for("connection-closed", reason="client_closed")


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
    front = gateway(upstream().address)
    brief = pki.worker("orders", "brief", ends=3)
    with connect(front, brief) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        assert stream.recv(1) == b""
    # notAfter is the last valid second: the connection may live to the end of it.
    late = time.time() - brief.x509.not_valid_after_utc.timestamp()
    assert 0 < late < 3
    record = front.wait_for("connection-revoked", reason="certificate_expired")[0]
    assert "notAfter" in record["countersign"]["change"]
