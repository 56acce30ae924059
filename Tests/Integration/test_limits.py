"""Limits by caller and by source: exactly as many as they say, and what the others are told."""

import contextlib
import json
import socket

import pytest

from support.clients import connect, context, exchange, receive
from support.gateway import POLICY as WORKERS
from support.mariadb import MYSQL, OWN_ACCOUNT
from support.mysql_wire import Client, error as mysql_error, read_packet, response
from support.postgres import (
    POLICY, answer, cancel_request, error, message, open_raw, plain, query, secure, startup)
from support.proxy_protocol import LOCAL, v1, v2
from support.upstreams import Upstream
from support.wait import wait_until

ANYBODY = {**WORKERS, "rules": [{"name": "all", "action": "allow", "callers": ["worker/*"]}]}
PROXY = {"proxy_protocol": {"from": ["127.0.0.1"]}}


def pong(stream):
    stream.sendall(b"x")
    assert stream.recv(1) == b"x"
    return stream


def refused(front, identity):
    """A client that is let into TLS and hears the end; whatever it says is not answered."""
    with connect(front, identity) as stream:
        assert stream.recv(1) == b""


def limits(front, name, count=1):
    records = wait_until(
        lambda: [each for each in front.records("limit-reached") if each["countersign"]["limit"]["name"] == name][
            count - 1:] and [
            each for each in front.records("limit-reached") if each["countersign"]["limit"]["name"] == name],
        what=f"{count} limit-reached {name}; log: {front.summary()}")
    return records


def total(front, name):
    """How many connections the records of a limit stand for."""
    return sum(each["countersign"]["limit"]["count"] for each in limits(front, name))


@contextlib.contextmanager
def at(front, address):
    own, front.address = front.address, address
    yield front
    front.address = own


# MARK: connections of a caller


def test_a_caller_has_as_many_connections_as_it_may(gateway, upstream, pki):
    back = upstream()
    front = gateway(back.address, policy=ANYBODY, limits={"max_connections_per_caller": 3}, workers=2)
    held = [pong(connect(front, pki.orders)) for _ in range(3)]
    refused(front, pki.orders)
    record = limits(front, "max_connections_per_caller")[0]
    assert record["user"]["name"] == "worker/orders"
    assert record["event"]["code"] == "CS106W" and record["event"]["reason"] == "limit"
    assert record["countersign"]["limit"] == {
        "name": "max_connections_per_caller", "value": 3, "scope": "caller", "count": 1}
    # Others have their own.
    assert exchange(front, pki.billing) == b"ping"
    assert back.accepted == 4
    held.pop().close()
    wait_until(lambda: len(front.records("connection-closed")) == 2, what="the end of two")
    held.append(pong(connect(front, pki.orders)))
    refused(front, pki.orders)
    assert back.accepted == 5
    assert [each["user"]["name"] for each in front.records("connection-allowed")].count("worker/orders") == 4
    for each in held:
        each.close()


def test_the_gateways_limit_counts_all_listeners_and_a_listeners_its_own(gateway, upstream, pki):
    front = gateway(upstream().address, start=False, limits={"max_connections_per_caller": 3})
    second = front.listen_also("second", limits={"max_connections_per_caller": 1})
    front.start()
    held = [pong(connect(front, pki.orders))]
    with at(front, second):
        held.append(pong(connect(front, pki.orders)))
        refused(front, pki.orders)
        record = limits(front, "max_connections_per_caller")[0]
        assert (record["countersign"]["limit"]["value"], record["countersign"]["listener"]) == (1, "second")
    held.append(pong(connect(front, pki.orders)))
    refused(front, pki.orders)
    record = limits(front, "max_connections_per_caller", 2)[1]
    assert (record["countersign"]["limit"]["value"], record["countersign"]["listener"]) == (3, "front")
    for each in held:
        each.close()


@pytest.mark.parametrize("ending", ["unreachable", "reset"])
def test_a_place_comes_back_however_a_connection_ends(gateway, pki, ending):
    back = Upstream()
    front = gateway(back.address, limits={"max_connections_per_caller": 1})
    if ending == "unreachable":
        back.close()
        for _ in range(3):
            with connect(front, pki.orders) as stream:
                assert stream.recv(1) == b""
        front.wait_for("upstream-failed", count=3)
    else:
        for count in range(1, 4):
            stream = pong(connect(front, pki.orders))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.close()
            front.wait_for("connection-closed", count=count, reason="client_reset")
        back.close()
    assert front.records("limit-reached") == []


def test_postgres_says_too_many_connections_and_cancels_all_the_same(gateway, postgres, pki):
    front = gateway(
        postgres.address, policy=POLICY, listener={"protocol": "postgres"}, drain_timeout="1s",
        limits={"max_connections_per_caller": 1})
    stream, process, key = open_raw(front, pki.orders)
    with secure(front, pki.orders) as other:
        other.sendall(startup(user="orders_rw", database="orders"))
        said = error(message(other))
        assert (said["C"], said["S"]) == ("53300", "FATAL")
        assert other.recv(1) == b""
    limits(front, "max_connections_per_caller")
    query(stream, "SELECT pg_sleep(60)")
    wait_until(
        lambda: postgres.sql(f"SELECT wait_event FROM pg_stat_activity WHERE pid = {process}") == "PgSleep",
        what="a query that runs")
    with secure(front, pki.orders) as cancel:
        cancel.sendall(cancel_request(process, key))
        assert cancel.recv(1) == b""
    assert [error(each)["C"] for each in answer(stream)[-1:]] == ["57014"]
    stream.close()
    assert len(front.records("limit-reached")) == 1


def test_mysql_says_too_many_connections(gateway, mariadb, pki):
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, limits={"max_connections_per_caller": 1})
    with Client(front, pki.orders).log_in() as held:
        with Client(front, pki.orders) as other:
            other.send(response())
            sequence, payload = other.read()
            assert (sequence, mysql_error(payload)[0]) == (3, 1040)
            assert other.is_over()
        assert held.ask("SELECT 1") == "1"
    assert limits(front, "max_connections_per_caller")[0]["user"]["name"] == "worker/orders"
    wait_until(lambda: front.records("connection-closed"), what="the end of the first")
    with Client(front, pki.orders).log_in() as next_one:
        assert next_one.ask("SELECT 2") == "2"


# MARK: the rate of a source


def knock(address, source="127.0.0.1"):
    """Whether a connection is taken, as far as TCP shows it: one that is turned away ends at once."""
    raw = socket.create_connection(address, timeout=20, source_address=(source, 0))
    raw.settimeout(0.3)
    try:
        taken = bool(raw.recv(1))
    except TimeoutError:
        taken = True
    except ConnectionResetError:
        taken = False
    return taken, raw


def knocks(address, count, **arguments):
    taken, raws = zip(*[knock(address, **arguments) for _ in range(count)])
    for raw in raws:
        raw.close()
    return list(taken)


def test_a_source_gets_as_many_as_the_rate_says(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"connection_rate_per_source": "3/m"}, workers=2)
    assert knocks(front.address, 5) == [True] * 3 + [False] * 2
    # Other sources have their own, and nobody has had TLS.
    assert knocks(front.address, 4, source="127.0.0.2") == [True] * 3 + [False]
    front.stop()
    records = limits(front, "connection_rate_per_source")
    assert records[0]["source"]["ip"] == "127.0.0.1"
    assert {each["source"]["ip"] for each in records} == {"127.0.0.1", "127.0.0.2"}
    assert records[0]["countersign"]["limit"] | {"count": 1} == {
        "name": "connection_rate_per_source", "value": 3, "scope": "source", "count": 1}
    assert total(front, "connection_rate_per_source") == 3


def test_the_rate_comes_back_with_time(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"connection_rate_per_source": "2/s"})
    assert [exchange(front, pki.orders) for _ in range(2)] == [b"ping"] * 2
    with pytest.raises(OSError):
        exchange(front, pki.orders)

    def is_served():
        try:
            return exchange(front, pki.orders) == b"ping"
        except OSError:
            return False

    wait_until(is_served, 5, what="the next token")


def test_a_flood_of_one_source_makes_few_records_and_loses_none(gateway, upstream):
    front = gateway(upstream().address, limits={"connection_rate_per_source": "1/h"}, workers=2)
    for _ in range(400):
        socket.create_connection(front.address).close()
    front.stop()
    records = limits(front, "connection_rate_per_source")
    assert total(front, "connection_rate_per_source") == 399
    # One and a summary from each worker, a second.
    assert len(records) <= 12


def test_a_full_gateway_makes_few_records_and_loses_none(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"max_connections": 1}, workers=1)
    held = pong(connect(front, pki.orders))
    for _ in range(300):
        socket.create_connection(front.address).close()
    held.close()
    front.stop()
    assert total(front, "max_connections") == 300
    assert len(limits(front, "max_connections")) <= 10


def test_ipv6_counts_by_its_network(gateway, upstream):
    front = gateway(upstream().address, start=False, limits={"connection_rate_per_source": "2/h"})
    front.configuration["listeners"][0]["listen"] = f"[::]:{front.port}"
    front.path.write_text(json.dumps(front.configuration))
    front.start()
    assert knocks(("::1", front.port), 3, source="::1") == [True, True, False]
    # IPv4 on the same socket is IPv4.
    assert knocks(("127.0.0.1", front.port), 3) == [True, True, False]


def test_peers_of_a_unix_socket_have_no_rate(gateway, upstream, pki, tmp_path):
    path = str(tmp_path / "front.sock")
    front = gateway(
        upstream().address, listener={"listen": f"unix:{path}"}, limits={"connection_rate_per_source": "1/h"})
    front.address = path
    assert [exchange(front, pki.orders) for _ in range(5)] == [b"ping"] * 5


def proxied(front, header, identity):
    raw = socket.create_connection(front.address, timeout=20)
    try:
        raw.sendall(header)
        with context(front.pki, identity).wrap_socket(raw, server_hostname="localhost") as stream:
            stream.sendall(b"ping")
            return receive(stream, 4)
    except OSError:
        return b""
    finally:
        raw.close()


def test_behind_a_trusted_proxy_the_client_is_the_source(gateway, upstream, pki):
    front = gateway(upstream().address, listener=PROXY, limits={"connection_rate_per_source": "2/h"})
    for header in (v2(source="192.0.2.7"), v1(source="198.51.100.9")):
        assert [proxied(front, header, pki.orders) for _ in range(3)] == [b"ping", b"ping", b""]
    # A /64 is one source, and what HAProxy says of itself is nobody's.
    one, two = (v2(source=f"2001:db8::{host}", destination="2001:db8::9") for host in (1, 2))
    assert [proxied(front, header, pki.orders) for header in (one, two, one)] == [b"ping", b"ping", b""]
    assert [proxied(front, v2(command=LOCAL), pki.orders) for _ in range(4)] == [b"ping"] * 4
    front.stop()
    assert {each["client"]["ip"] for each in limits(front, "connection_rate_per_source")} == {
        "192.0.2.7", "198.51.100.9", "2001:db8::1"}
    assert {each["source"]["ip"] for each in limits(front, "connection_rate_per_source")} == {"127.0.0.1"}


def test_the_protocols_say_it_before_tls(gateway, postgres, mariadb, pki):
    rate = {"connection_rate_per_source": "1/h"}
    front = gateway(postgres.address, name="postgres", policy=POLICY, listener={"protocol": "postgres"}, limits=rate)
    assert knocks(front.address, 1) == [True]
    with plain(front) as stream:
        said = error(message(stream))
        assert (said["C"], said["S"]) == ("53300", "FATAL")
        assert stream.recv(1) == b""
    front = gateway(mariadb.address, name="mysql", policy=OWN_ACCOUNT, listener={**MYSQL, **PROXY}, limits=rate)
    for expected in (b"\x0a", b"\xff"):
        with socket.create_connection(front.address, timeout=20) as stream:
            stream.sendall(v2())
            sequence, payload = read_packet(stream)
            assert (sequence, payload[:1]) == (0, expected)
    assert mysql_error(payload)[0] == 1040


def test_a_listeners_own_rate_leaves_the_others_alone(gateway, upstream, pki):
    front = gateway(upstream().address, start=False, limits={"connection_rate_per_source": "4/h"})
    second = front.listen_also("second", limits={"connection_rate_per_source": "1/h"})
    front.start()
    # What the second refuses does not count to the gateway's.
    assert knocks(second, 4) == [True, False, False, False]
    assert knocks(front.address, 4) == [True, True, True, False]
