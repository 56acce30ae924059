"""Clients that say nothing, or say it slowly, beside clients that are served."""

import concurrent.futures
import resource
import select
import socket
import threading
import time

import pytest

from support.clients import connect, context, exchange, receive
from support.mariadb import MYSQL, OWN_ACCOUNT
from support.mysql_wire import Client, fixed_part, packet, read_packet, response
from support.postgres import POLICY, SSL_REQUEST, message, open_raw, secure, startup
from support.proxy_protocol import v1, v2
from support.wait import wait_until

TRUSTED = {"proxy_protocol": {"from": ["127.0.0.1"]}}


@pytest.fixture
def crowd():
    """Sockets that are closed at the end."""
    made = []

    def join(address, first=b"", answers=0):
        raw = socket.create_connection(address, timeout=20)
        made.append(raw)
        if first:
            raw.sendall(first)
        if answers:
            raw.recv(answers)
        return raw

    yield join
    for each in made:
        each.close()


# MARK: silent clients


def served_tcp(front, pki, number):
    assert exchange(front, pki.orders) == b"ping"


def served_proxied(front, pki, number):
    raw = socket.create_connection(front.address, timeout=20)
    raw.sendall(v2(source_port=number + 1))
    with context(pki, pki.orders).wrap_socket(raw, server_hostname="localhost") as stream:
        stream.sendall(b"ping")
        assert receive(stream, 4) == b"ping"


def served_postgres(front, pki, number):
    open_raw(front, pki.orders)[0].close()


def served_mysql(front, pki, number):
    with Client(front, pki.orders).log_in() as client:
        assert client.ask("SELECT 1") == "1"


# How the silent begin, and how many bytes they are answered before they fall silent.
SILENT = {
    "tcp": ("upstream", {}, b"", 0, served_tcp),
    "in a TLS record": ("upstream", {}, b"\x16\x03\x01\x02\x00\x01", 0, served_tcp),
    "in a PROXY header": ("upstream", TRUSTED, b"PROXY TCP4 192.0.2.7 ", 0, served_proxied),
    "postgres before its request": ("postgres", {"protocol": "postgres"}, b"", 0, served_postgres),
    "postgres behind its request": ("postgres", {"protocol": "postgres"}, SSL_REQUEST, 1, served_postgres),
    "mysql behind the greeting": ("mariadb", MYSQL, b"", 4, served_mysql),
}
POLICIES = {"postgres": {"policy": POLICY}, "mariadb": {"policy": OWN_ACCOUNT}, "upstream": {}}


@pytest.mark.parametrize("how", SILENT)
@pytest.mark.parametrize("crowded", ["max_handshakes", "max_connections"])
def test_five_hundred_silent_clients_keep_nobody_out(gateway, request, pki, crowd, how, crowded):
    back, listener, first, answers, served = SILENT[how]
    server = request.getfixturevalue(back)
    limits = {"max_handshakes": 64} if crowded == "max_handshakes" else {"max_connections": 64}
    front = gateway(
        (server() if back == "upstream" else server).address, listener=listener, limits=limits, workers=2,
        drain_timeout="0s", **POLICIES[back])
    for _ in range(500):
        crowd(front.address, first, answers)
    slowest = 0
    for number in range(20):
        begun = time.monotonic()
        served(front, pki, number)
        slowest = max(slowest, time.monotonic() - begun)
        crowd(front.address, first, answers)
    assert slowest < 2
    evicted = front.records("limit-reached")
    assert {each["countersign"]["limit"]["name"] for each in evicted} == {crowded}
    assert len(front.records("connection-allowed")) == 20


def test_exactly_as_many_unknown_as_the_limit_says(gateway, upstream, crowd):
    front = gateway(upstream().address, limits={"max_handshakes": 5}, workers=1)

    def alive(silent):
        return [each for each in silent if not select.select([each], [], [], 0)[0]]

    silent = [crowd(front.address) for _ in range(5)]
    silent.append(crowd(front.address))
    front.wait_for("limit-reached")
    assert alive(silent) == silent[1:]
    silent.pop().close()
    front.wait_for("handshake-failed", reason="client_closed")
    silent.append(crowd(front.address))
    # One more would be told: the sixth is, and nobody else.
    silent.append(crowd(front.address))
    front.wait_for("limit-reached", count=2)
    assert alive(silent) == silent[2:]
    assert len(front.records("limit-reached")) == 2


# MARK: one deadline over everything before the verdict

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(501)
STARTUP = startup(user="orders_rw", database="orders", application_name="x" * 400)
MYSQL_REQUEST = packet(fixed_part(), 1)


def secured(front, raw):
    return context(front.pki, front.pki.orders).wrap_socket(raw, server_hostname="localhost")


def greeted(raw):
    read_packet(raw)
    return raw


def asked(raw):
    raw.sendall(SSL_REQUEST)
    assert raw.recv(1) == b"S"
    return raw


def requested(raw):
    greeted(raw).sendall(MYSQL_REQUEST)
    return raw


# The listener, how the client begins, and what it then says slowly.
SLOW = {
    "a PROXY header": ("proxied", None, b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 6432\r\n"),
    "a PROXY header of version 2": ("proxied", None, v2(length=4000) + bytes(100)),
    "the ClientHello": ("front", None, CLIENT_HELLO),
    "the ClientHello behind a PROXY header": ("proxied", None, v1() + CLIENT_HELLO),
    "the SSLRequest": ("postgres", None, SSL_REQUEST),
    "the ClientHello behind the SSLRequest": ("postgres", lambda front, raw: asked(raw), CLIENT_HELLO),
    "the startup message": ("postgres", lambda front, raw: secured(front, asked(raw)), STARTUP),
    "MySQL's request": ("mysql", lambda front, raw: greeted(raw), MYSQL_REQUEST),
    "the ClientHello behind MySQL's request": ("mysql", lambda front, raw: requested(raw), CLIENT_HELLO),
    "MySQL's response": ("mysql", lambda front, raw: secured(front, requested(raw)), response("x" * 300)),
    "nothing behind the handshake": ("postgres", lambda front, raw: secured(front, asked(raw)), b""),
}


def trickle(stream, data, over):
    """Says `data` a byte at a time, spread so that it is not through when the connection ends."""
    pace = max(0.05, 1.5 / max(1, len(data)))
    try:
        for byte in data:
            if over.wait(pace):
                return
            stream.sendall(bytes([byte]))
    except OSError:
        pass


def test_slow_words_do_not_move_the_deadline(gateway, upstream, pki):
    back = upstream()
    front = gateway(back.address, start=False, limits={"handshake_timeout": "1s"})
    addresses = {
        "front": front.address, "proxied": front.listen_also("proxied", **TRUSTED),
        "postgres": front.listen_also("postgres", protocol="postgres"), "mysql": front.listen_also("mysql", **MYSQL)}
    front.start()
    over = threading.Event()

    def one(name):
        listener, begin, data = SLOW[name]
        begun = time.monotonic()
        with socket.create_connection(addresses[listener], timeout=20) as raw:
            port = raw.getsockname()[1]
            stream = begin(front, raw) if begin else raw
            talking = threading.Thread(target=trickle, args=(stream, data, over))
            talking.start()
            record = wait_until(
                lambda: [
                    each for each in front.records("handshake-failed")
                    if each["source"]["port"] == port and each["event"]["reason"] == "timeout"],
                10, f"the end of whoever says {name} slowly; log: {front.summary()}")
            took = time.monotonic() - begun
            over.wait(0.2)
            talking.join(10)
            stream.close()
        return name, took, record[0]["countersign"]["listener"], listener

    with concurrent.futures.ThreadPoolExecutor(len(SLOW)) as pool:
        for name, took, found, listener in pool.map(one, SLOW):
            assert found == listener
            assert 0.95 < took < 2.5, (name, took)
    over.set()
    assert back.accepted == 0
    assert len(front.records("handshake-failed")) == len(SLOW)


def test_the_stages_share_the_deadline(gateway, upstream, pki):
    """A PROXY header, the request and the ClientHello come each within their second, and late together."""
    front = gateway(
        upstream().address, listener={"protocol": "postgres", **TRUSTED}, limits={"handshake_timeout": "1s"})
    begun = time.monotonic()
    with socket.create_connection(front.address, timeout=20) as raw:
        pause = threading.Event()
        pause.wait(0.4)
        raw.sendall(v1())
        pause.wait(0.4)
        asked(raw)
        front.wait_for("handshake-failed", reason="timeout")
        assert 0.95 < time.monotonic() - begun < 1.7


def test_whoever_says_nothing_within_tls_counts_until_the_deadline(gateway, postgres, pki):
    front = gateway(
        postgres.address, policy=POLICY, listener={"protocol": "postgres"}, drain_timeout="0s",
        limits={"max_connections": 2, "handshake_timeout": "2s"})
    silent = [secure(front, pki.orders) for _ in range(2)]
    with socket.create_connection(front.address, timeout=20) as raw:
        assert message(raw)[0] == b"E"
    assert front.wait_for("limit-reached")[0]["countersign"]["limit"]["name"] == "max_connections"
    front.wait_for("handshake-failed", count=2, reason="timeout")
    wait_until(lambda: all(each.recv(1) == b"" for each in silent), what="the end of the silent")
    for each in silent:
        each.close()
    served_postgres(front, pki, 0)


# MARK: descriptors


def served(stream):
    stream.sendall(b"x")
    assert stream.recv(1) == b"x"


def test_without_descriptors_those_who_are_in_go_on_and_others_wait(gateway, upstream, pki):
    front = gateway(upstream().address, workers=2)
    held = connect(front, pki.orders)
    served(held)
    hard = resource.prlimit(front.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (8, hard))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(exchange, front, pki.orders) for _ in range(8)]
        front.wait_for("limit-reached")
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            served(held)
        assert not any(each.done() for each in waiting)
        records = front.records("limit-reached")
        assert {each["countersign"]["limit"]["name"] for each in records} == {"EMFILE"}
        # Both workers try ten times a second, and tell it once.
        assert len(records) <= 8
        assert sum(each["countersign"]["limit"]["count"] for each in records) > len(records)
        resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert [each.result(20) for each in waiting] == [b"ping"] * 8
    served(held)
    held.close()


def test_the_silent_give_their_descriptors_back_first(gateway, upstream, pki, crowd):
    """One for the client that comes, and one for its upstream."""
    front = gateway(upstream().address, workers=1)
    before = front.descriptors()
    # They take the lowest numbers that are free, so that in the end none is left in between.
    silent = [crowd(front.address) for _ in range(8)]
    wait_until(lambda: front.descriptors() == before + 8, what="silent clients that are taken")
    numbers = front.descriptor_numbers()
    assert max(numbers) + 1 == len(numbers)
    limit = resource.prlimit(front.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (len(numbers), limit[1]))
    with connect(front, pki.orders) as stream:
        served(stream)
        records = front.wait_for("limit-reached", count=2)
        assert {each["countersign"]["limit"]["name"] for each in records} == {"EMFILE"}
        assert [each["source"]["port"] for each in records] == [each.getsockname()[1] for each in silent[:2]]
        assert [each.recv(1) for each in silent[:2]] == [b"", b""]
    resource.prlimit(front.pid, resource.RLIMIT_NOFILE, limit)
