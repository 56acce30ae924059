"""A drain ends every connection, wherever it stands, and says so in its protocol and in the log."""

import concurrent.futures
import resource
import signal
import socket
import threading
import time

import pytest

from support.clients import connect
from support.mariadb import MYSQL, OWN_ACCOUNT
from support.mysql_wire import Client, error as mysql_error, response
from support.postgres import POLICY, error, message, open_raw, secure, startup
from support.upstreams import Upstream

ALL = {
    **POLICY,
    "rules": [*POLICY["rules"], *OWN_ACCOUNT["rules"],
              {"name": "plain", "action": "allow", "callers": ["worker/orders"], "when": {"protocol": "tcp"}}],
}


@pytest.fixture
def blackhole():
    """The address of a listener whose queue is full: whoever connects waits."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
        yield "127.0.0.1:%d" % full.getsockname()[1]
        for each in waiting:
            each.close()


@pytest.fixture
def mute():
    """An upstream that takes connections and says nothing."""
    over = threading.Event()
    server = Upstream(lambda connection: over.wait(60))
    yield server.address
    over.set()
    server.close()


def ended(raw):
    """The other side has ended the stream, and said nothing before."""
    raw.settimeout(20)
    return raw.recv(65536) == b""


def told_by_postgres(stream):
    said = error(message(stream))
    return (said["C"], said["S"]) == ("57P01", "FATAL") and ended(stream)


def told_by_mysql(client):
    sequence, payload = client.read()
    return (sequence, mysql_error(payload)[0]) == (3, 1053) and client.is_over()


@pytest.fixture
def everywhere(gateway, pki, postgres, upstream, blackhole, mute):
    """A gateway with a connection in each state: pairs of what it is and how its end is seen."""
    front = gateway(
        upstream().address, start=False, policy=ALL, drain_timeout="1s", workers=2,
        limits={"handshake_timeout": "30s"})
    addresses = {}
    for name, address, keys in (
            ("database", postgres.address, {"protocol": "postgres"}),
            ("dialling", blackhole, {"protocol": "postgres"}),
            ("mute", mute, MYSQL)):
        front.configuration["upstreams"].append({"name": name, "address": address, "connect_timeout": "30s"})
        addresses[name] = front.listen_also(name, upstream=name, **keys)
    front.start()
    made = []

    def keep(name, stream, seen):
        made.append((name, stream, seen))
        return stream

    plain = front.address
    keep("handshaking", socket.create_connection(plain), ended).sendall(b"\x16\x03\x01\x02\x00\x01")
    stream = keep("relaying", connect(front, pki.orders), ended)
    stream.sendall(b"x")
    assert stream.recv(1) == b"x"
    keep("lingering", connect(front, pki.billing), ended)
    front.address = addresses["database"]
    keep("negotiating", socket.create_connection(front.address), ended)
    keep("introducing", secure(front, pki.orders), told_by_postgres)
    keep("between two queries", open_raw(front, pki.orders)[0], told_by_postgres)
    front.address = addresses["dialling"]
    keep("connecting", secure(front, pki.orders), told_by_postgres).sendall(
        startup(user="orders_rw", database="orders"))
    front.address = addresses["mute"]
    keep("MySQL, introducing", Client(front, pki.orders), told_by_mysql)
    keep("MySQL, preparing", Client(front, pki.orders), told_by_mysql).send(response())
    front.wait_for("connection-allowed", count=4)
    yield front, made
    for _, stream, _ in made:
        stream.close()


def test_a_drain_ends_a_connection_in_every_state(everywhere, pki):
    front, made = everywhere
    front.wait_for("connection-denied")
    begun = time.monotonic()
    front.signal(signal.SIGTERM)
    with concurrent.futures.ThreadPoolExecutor(len(made)) as pool:
        ends = {name: pool.submit(seen, stream) for name, stream, seen in made}
        assert {name: end.result(20) for name, end in ends.items()} == {name: True for name in ends}
    for _, stream, _ in made:
        stream.close()
    assert front.process.wait(10) == 0
    assert 0.9 < time.monotonic() - begun < 6
    closed = [each for each in front.records("connection-closed") if each["event"]["reason"] == "drain"]
    assert sorted(each["countersign"]["listener"] for each in closed) == ["database", "dialling", "front", "mute"]
    failed = front.records("handshake-failed")
    assert sorted(each["countersign"]["listener"] for each in failed) == ["database", "database", "front", "mute"]
    assert {each["error"]["message"] for each in failed} == {"the gateway shut down before the connection was judged"}


def test_a_drain_without_time_ends_all_at_once(gateway, upstream, pki):
    front = gateway(upstream().address, drain_timeout="0s")
    with connect(front, pki.orders) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        silent = socket.create_connection(front.address)
        begun = time.monotonic()
        front.signal(signal.SIGTERM)
        assert stream.recv(1) == b""
        assert silent.recv(1) == b""
        assert time.monotonic() - begun < 1.5
    silent.close()
    assert front.process.wait(5) == 0
    front.wait_for("connection-closed", reason="drain")


def pour(connection):
    """Sends as fast as it can, for ever."""
    while True:
        connection.sendall(bytes(65536))


def test_a_client_that_never_reads_holds_no_drain_up(gateway, upstream, pki):
    front = gateway(upstream(pour).address, drain_timeout="0s")
    with connect(front, pki.orders) as stream:
        stream.recv(1)
        front.signal(signal.SIGTERM)
        assert front.process.wait(6) == 0
    assert front.wait_for("connection-closed", reason="drain")[0]["countersign"]["closed_by"] == "gateway"


def test_an_upstream_that_never_closes_holds_no_drain_up(gateway, mute, pki):
    front = gateway(mute, drain_timeout="1s")
    stream = connect(front, pki.orders)
    front.wait_for("connection-allowed")
    stream.shutdown(socket.SHUT_WR)
    front.signal(signal.SIGTERM)
    assert front.process.wait(6) == 0
    stream.close()
    front.wait_for("connection-closed", reason="drain")


def test_a_drain_without_descriptors(gateway, upstream, pki):
    front = gateway(upstream().address, drain_timeout="1s")
    held = connect(front, pki.orders)
    held.sendall(b"x")
    assert held.recv(1) == b"x"
    hard = resource.prlimit(front.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (8, hard))
    with socket.create_connection(front.address) as waiting:
        front.wait_for("limit-reached")
        front.signal(signal.SIGTERM)
        front.wait_for("gateway-stopping")
        held.sendall(b"y")
        assert held.recv(1) == b"y"
        assert held.recv(1) == b""
        assert front.process.wait(6) == 0
        with pytest.raises(ConnectionResetError):
            waiting.recv(1)
    held.close()
    front.wait_for("connection-closed", reason="drain")


@pytest.mark.parametrize("count", [2, 3])
def test_signals_that_follow_each_other_at_once_end_it(gateway, upstream, pki, count):
    front = gateway(upstream().address, drain_timeout="60s")
    with connect(front, pki.orders) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGTERM][:count]:
            front.signal(number)
        assert front.process.wait(5) == 1
