"""Where a connection goes, and what is said where it cannot."""

import socket
import time

import pytest

from support.clients import connect, exchange
from support.gateway import free_port
from support.wait import wait_until


def refused(front, identity):
    """A connection that is let in and then told the end."""
    with connect(front, identity) as stream:
        assert stream.recv(1) == b""


def test_an_ipv4_address(gateway, upstream, pki):
    assert exchange(gateway(upstream().address), pki.orders) == b"ping"


def test_an_ipv6_address(gateway, upstream, pki):
    back = upstream(family=socket.AF_INET6, address=("::1", 0))
    assert exchange(gateway(back.address), pki.orders) == b"ping"


def test_a_name(gateway, upstream, pki):
    port = upstream().address.rsplit(":", 1)[1]
    front = gateway(f"localhost:{port}")
    assert exchange(front, pki.orders) == b"ping"
    assert front.wait_for("connection-closed")[0]["destination"]["address"] == f"localhost:{port}"


def test_a_unix_socket(gateway, upstream, pki, tmp_path):
    back = upstream(family=socket.AF_UNIX, address=str(tmp_path / "back.sock"))
    assert exchange(gateway(back.address), pki.orders) == b"ping"


@pytest.mark.parametrize("address, code", [("port", "ECONNREFUSED"), ("path", "ENOENT")])
def test_an_upstream_that_is_not_there(gateway, pki, tmp_path, address, code):
    front = gateway(f"127.0.0.1:{free_port()}" if address == "port" else f"unix:{tmp_path}/nothing.sock")
    refused(front, pki.orders)
    record = front.wait_for("upstream-failed", reason="upstream_unreachable")[0]
    assert record["error"]["code"] == code
    assert record["event"]["outcome"] == "failure"
    assert [action for action, _ in front.summary()[-2:]] == ["connection-allowed", "upstream-failed"]


def test_a_name_that_does_not_resolve(gateway, pki):
    front = gateway("nowhere.invalid:5432")
    refused(front, pki.orders)
    record = front.wait_for("upstream-failed", reason="upstream_unreachable")[0]
    assert "nowhere.invalid" in record["error"]["message"]


def test_an_upstream_that_does_not_answer(gateway, pki):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        address = silent.getsockname()
        # Linux takes one connection more than the backlog; then it lets the SYNs of others fall.
        waiting = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            waiting.append(filler)
        front = gateway({"name": "back", "address": "%s:%d" % address, "connect_timeout": "1s"})
        begin = time.monotonic()
        refused(front, pki.orders)
        assert 0.9 < time.monotonic() - begin < 4
        front.wait_for("upstream-failed", reason="upstream_timeout")
        for filler in waiting:
            filler.close()


def test_an_upstream_that_is_not_there_costs_no_room_for_good(gateway, pki):
    front = gateway(f"127.0.0.1:{free_port()}", limits={"max_connections": 1})

    def is_let_in():
        # Until the gateway has seen the client before it hang up, there is rightly no room.
        try:
            refused(front, pki.orders)
        except OSError:
            return False
        return True

    for count in range(1, 6):
        wait_until(is_let_in, what=f"room for connection {count}")
    front.wait_for("upstream-failed", count=5, reason="upstream_unreachable")


def test_an_upstream_that_comes_back_is_reached_again(gateway, upstream, pki):
    port = free_port()
    front = gateway(f"127.0.0.1:{port}")
    refused(front, pki.orders)
    upstream(address=("127.0.0.1", port))
    assert exchange(front, pki.orders) == b"ping"
