"""A real PostgreSQL behind the gateway: who gets in, as whom, and what the others are told."""

import socket
import ssl
import struct
import subprocess

import asyncio
import asyncpg
import pg8000.dbapi
import psycopg
import pytest

from support.clients import context
from support.gateway import free_port
from support.postgres import (
    GSS_REQUEST, POLICY, SSL_REQUEST, answer, conninfo, error, message, messages, open_raw, plain, psql, query,
    secure, startup)
from support.wait import wait_until


@pytest.fixture
def front(gateway, postgres):
    """Makes gateways in front of the cluster."""

    def make(upstream=None, policy=POLICY, listener=None, **arguments):
        return gateway(
            upstream or postgres.address, policy=policy, listener={"protocol": "postgres", **(listener or {})},
            **arguments)

    return make


# MARK: those who may


def test_psql_gets_in_as_the_role_that_its_caller_bears(front, pki):
    gate = front()
    done = psql(gate, pki.orders, "SELECT current_user || '@' || current_database()", application_name="tests")
    assert (done.returncode, done.stdout.strip()) == (0, "orders_rw@orders"), done.stderr
    record = gate.wait_for("connection-allowed")[0]
    assert record["user"]["name"] == "worker/orders"
    assert record["rule"]["name"] == "own-role"
    assert record["countersign"]["postgres"] == {"user": "orders_rw", "database": "orders", "application": "tests"}
    assert gate.wait_for("connection-closed")[0]["source"]["bytes"] > 0


def test_a_connection_without_a_database_is_to_the_users_own(front, pki):
    gate = front()
    stream = secure(gate, pki.orders)
    stream.sendall(startup(user="orders_rw"))
    assert message(stream)[0] == b"R"
    assert gate.wait_for("connection-allowed")[0]["countersign"]["postgres"]["database"] == "orders_rw"
    stream.close()


def test_psycopg(front, pki):
    with psycopg.connect(conninfo(front(), pki.orders)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("orders_rw",)


def test_asyncpg(front, pki):
    gate = front()

    async def ask():
        connection = await asyncpg.connect(**asyncpg_parameters(gate, pki.orders))
        try:
            return await connection.fetchval("SELECT current_user")
        finally:
            await connection.close()

    assert asyncio.run(ask()) == "orders_rw"


def asyncpg_parameters(gate, identity, **others):
    return {
        "host": "localhost", "port": gate.port, "user": "orders_rw", "password": "secret", "database": "orders",
        "ssl": context(gate.pki, identity), **others}


def pg8000_connect(gate, identity, **others):
    return pg8000.dbapi.connect(**{
        "host": "localhost", "port": gate.port, "user": "orders_rw", "password": "secret", "database": "orders",
        "ssl_context": context(gate.pki, identity), **others})


def test_pg8000(front, pki):
    connection = pg8000_connect(front(), pki.orders)
    cursor = connection.cursor()
    cursor.execute("SELECT current_user")
    assert cursor.fetchone() == ["orders_rw"]
    connection.close()


def test_prepared_statements(front, pki):
    gate = front()
    with psycopg.connect(conninfo(gate, pki.orders), prepare_threshold=1) as connection:
        for number in range(5):
            assert connection.execute("SELECT %s::int + 1", (number,)).fetchone() == (number + 1,)
        assert connection.execute("SELECT count(*) > 0 FROM pg_prepared_statements").fetchone() == (True,)


def test_listen_and_notify_across_two_connections(front, pki):
    gate = front()
    with psycopg.connect(conninfo(gate, pki.orders), autocommit=True) as hearing:
        hearing.execute("LISTEN news")
        with psycopg.connect(conninfo(gate, pki.orders), autocommit=True) as speaking:
            speaking.execute("NOTIFY news, 'hello'")
        note = next(hearing.notifies(timeout=20, stop_after=1))
        assert (note.channel, note.payload) == ("news", "hello")


def test_a_pooler_keeps_its_idle_connection(front, pki):
    gate = front(limits={"idle_timeout": "1s"})
    with psycopg.connect(conninfo(gate, pki.orders)) as connection:
        gate.wait_for("connection-closed", reason="idle_timeout")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


# MARK: those who may not

DENIED = {
    "role": ("orders", {"user": "billing_rw"}, "default",
             'access of the caller "worker/orders" as user "billing_rw" to database "orders" is denied'),
    "database": ("orders", {"dbname": "postgres"}, "default",
                 'access of the caller "worker/orders" as user "orders_rw" to database "postgres" is denied'),
    "caller": ("billing", {}, "default",
               'access of the caller "worker/billing" as user "orders_rw" to database "orders" is denied'),
    "superuser": ("orders", {"user": "postgres"}, "default",
                  'access of the caller "worker/orders" as user "postgres" to database "orders" is denied'),
    "unmapped": ("unmapped", {}, "caller_unmapped",
                 "access is denied: the client certificate is not mapped to one caller"),
}


@pytest.mark.parametrize("who, wish, reason, text", DENIED.values(), ids=DENIED.keys())
def test_psql_prints_why_it_was_denied(front, pki, who, wish, reason, text):
    gate = front()
    done = psql(gate, getattr(pki, who), "SELECT 1", **wish)
    assert done.returncode == 2
    assert f"FATAL:  {text}\n" in done.stderr
    gate.wait_for("connection-denied", reason=reason)
    gate.stop()
    assert gate.records("connection-allowed") == []


def test_drivers_raise_what_they_raise_for_a_role_that_may_not(front, pki):
    gate = front()
    with pytest.raises(psycopg.OperationalError, match='FATAL:  access of the caller "worker/billing"'):
        psycopg.connect(conninfo(gate, pki.billing))
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match='the caller "worker/billing"'):
        asyncio.run(asyncpg.connect(**asyncpg_parameters(gate, pki.billing)))
    with pytest.raises(pg8000.dbapi.DatabaseError) as raised:
        pg8000_connect(gate, pki.billing)
    assert (raised.value.args[0]["C"], raised.value.args[0]["S"]) == ("28000", "FATAL")


def test_a_denial_ends_with_close_notify(front, pki):
    stream = secure(front(), pki.billing)
    stream.sendall(startup(user="orders_rw", database="raw"))
    # A ragged end would raise SSLEOFError.
    fields = [error(each) for each in messages(stream)]
    assert [(each["S"], each["V"], each["C"]) for each in fields] == [("FATAL", "FATAL", "28000")]


def test_a_client_without_certificate_gets_an_alert(front, pki):
    gate = front()
    done = psql(gate, None, "SELECT 1")
    assert done.returncode == 2
    assert "certificate required" in done.stderr
    gate.wait_for("handshake-failed", reason="certificate_missing")


def test_a_certificate_of_another_ca_gets_an_alert(front, pki):
    gate = front()
    done = psql(gate, pki.stranger, "SELECT 1")
    assert done.returncode == 2
    assert "unknown ca" in done.stderr
    gate.wait_for("handshake-failed", reason="certificate_untrusted")


def test_a_client_that_does_not_ask_for_tls_is_told(front, pki):
    gate = front()
    done = psql(gate, pki.orders, "SELECT 1", sslmode="disable")
    assert done.returncode == 2
    assert "FATAL:  this server accepts connections with TLS and a client certificate only" in done.stderr
    assert gate.wait_for("handshake-failed", reason="negotiation")[0]["error"]["message"]
    with plain(gate) as raw:
        raw.sendall(startup(user="orders_rw"))
        assert [error(each)["C"] for each in messages(raw)] == ["28000"]


# MARK: how TLS begins


def refused_plainly(gate, data, code="08P01"):
    """Sends bytes before TLS and reads the FATAL that they are worth."""
    with plain(gate) as raw:
        raw.sendall(data)
        answers = messages(raw)
    assert [error(each)["C"] for each in answers] == [code]
    return gate.wait_for("handshake-failed", reason="negotiation")[0]["error"]["message"]


def test_bytes_behind_ssl_request_are_refused(front, pki):
    message = refused_plainly(front(), SSL_REQUEST + startup(user="orders_rw"))
    assert "CVE-2021-23214" in message


@pytest.mark.parametrize("data", [
    GSS_REQUEST + SSL_REQUEST, struct.pack("!ii", 9, 80877103) + b"x", struct.pack("!ii", 0, 196608),
    struct.pack("!ii", -1, 196608), struct.pack("!ii", 2**31 - 1, 196608), struct.pack("!ii", 8, 131072),
    b"GET / HTTP/1.1\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28",
    startup(user="orders_rw", database="raw")[:-1] + b"user\0postgres\0\0",
], ids=["bytes behind gss", "long ssl", "zero", "minus one", "huge", "protocol 2", "http", "alert", "bad length"])
def test_what_is_no_first_message_is_refused(front, pki, data):
    refused_plainly(front(), data)


@pytest.mark.parametrize("packet", [
    startup(user="orders_rw", database="raw").replace(b"\0database\0raw", b"\0user\0postgres"),
    startup(user="o" * 64), startup(user=b"orders\xff"), startup(database="raw"), SSL_REQUEST, GSS_REQUEST,
    struct.pack("!ii", 2**31 - 1, 196608), struct.pack("!ii", 0, 0), struct.pack("!ii", -1, 196608),
    startup(user="orders_rw", database="raw", replication="perhaps"),
], ids=["doubled user", "long user", "no utf-8", "no user", "tls in tls", "gss in tls", "huge", "zero", "minus one",
        "bad replication"])
def test_a_first_message_that_cannot_be_judged_is_refused(front, pki, packet):
    gate = front()
    stream = secure(gate, pki.orders)
    stream.sendall(packet)
    assert [error(each)["C"] for each in messages(stream)] == ["08P01"]
    gate.wait_for("handshake-failed", reason="negotiation")
    gate.stop()
    assert gate.records("connection-allowed") == []


def test_gss_encryption_is_declined_and_then_tls_is_taken(front, pki):
    gate = front()
    raw = plain(gate)
    raw.sendall(GSS_REQUEST)
    assert raw.recv(1) == b"N"
    stream = secure(gate, pki.orders, raw=raw)
    stream.sendall(startup(user="orders_rw", database="raw"))
    assert message(stream) == (b"R", struct.pack("!i", 0))
    stream.close()


def test_gss_encryption_is_declined_once(front, pki):
    gate = front()
    with plain(gate) as raw:
        raw.sendall(GSS_REQUEST)
        assert raw.recv(1) == b"N"
        raw.sendall(GSS_REQUEST)
        assert [error(each)["C"] for each in messages(raw)] == ["08P01"]


def direct(gate, identity, alpn, **arguments):
    """A connection that begins with TLS at once."""
    made = context(gate.pki, identity, alpn=alpn, **arguments)
    return made.wrap_socket(plain(gate), server_hostname="localhost", suppress_ragged_eofs=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_direct_tls(front, pki, version):
    gate = front()
    with direct(gate, pki.orders, ["postgresql"], maximum=version) as stream:
        assert stream.selected_alpn_protocol() == "postgresql"
        stream.sendall(startup(user="orders_rw", database="raw"))
        assert message(stream) == (b"R", struct.pack("!i", 0))
    assert gate.wait_for("connection-allowed")[0]["tls"]["next_protocol"] == "postgresql"


@pytest.mark.parametrize("alpn", [None, ["h2"]], ids=["none", "other"])
@pytest.mark.parametrize("own", [None, ["h2"]], ids=["unset", "set"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_direct_tls_must_name_the_protocol(front, pki, alpn, own, version):
    gate = front(tls={"alpn": own} if own else None)
    with pytest.raises(OSError):
        with direct(gate, pki.orders, alpn, maximum=version) as stream:
            stream.sendall(startup(user="orders_rw", database="raw"))
            assert stream.recv(1) != b""
            pytest.fail("the gateway took direct TLS without its ALPN")
    gate.wait_for("handshake-failed", reason="tls_protocol")
    gate.stop()
    assert gate.records("connection-allowed") == []


def test_libpq_begins_with_tls_at_once(front, pki):
    with psycopg.connect(conninfo(front(), pki.orders, sslnegotiation="direct")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


# MARK: versions, options, replication


def test_protocol_3_2_of_libpq_is_negotiated_by_the_server(front, pki):
    with psycopg.connect(conninfo(front(), pki.orders, max_protocol_version="3.2")) as connection:
        assert connection.pgconn.protocol_version == 3
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("minor, options", [(2, {}), (9, {}), (0, {"_pq_.unheard": "1"}), (9, {"_pq_.unheard": "1"})])
def test_the_servers_answer_to_versions_and_options_reaches_the_client(front, pki, minor, options):
    gate = front()
    stream = secure(gate, pki.orders)
    stream.sendall(startup(minor, user="orders_rw", database="raw", **options))
    kind, body = message(stream)
    newest, count = struct.unpack("!ii", body[:8])
    assert (kind, newest & 0xffff, count) == (b"v", 0, len(options))
    assert body[8:] == b"".join(name.encode() + b"\0" for name in options)
    assert message(stream) == (b"R", struct.pack("!i", 0))
    stream.close()


def test_options_reach_the_server(front, pki):
    done = psql(front(), pki.orders, "SHOW work_mem", options=["--no-password"])
    assert done.returncode == 0
    with psycopg.connect(conninfo(front(name="second"), pki.orders, options="-c work_mem=1234kB")) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("1234kB",)


def test_replication_is_for_those_whose_rule_says_so(front, pki):
    gate = front()
    done = psql(gate, pki.orders, "IDENTIFY_SYSTEM", replication="database")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("|orders")
    record = gate.wait_for("connection-allowed", outcome="success")[0]
    assert record["rule"]["name"] == "replicas"
    assert record["countersign"]["postgres"]["replication"] == "database"
    done = psql(gate, pki.billing, "IDENTIFY_SYSTEM", replication="database", user="billing_rw")
    assert done.returncode == 2
    assert 'access of the caller "worker/billing" as user "billing_rw"' in done.stderr


def test_the_write_ahead_log_is_streamed(front, pki, postgres, tmp_path):
    gate = front()
    (tmp_path / "wal").mkdir()
    position = postgres.sql("SELECT pg_current_wal_flush_lsn()")
    receiving = subprocess.Popen(
        ["pg_receivewal", "-D", tmp_path / "wal", "--no-loop", "--endpos", position, "-d", conninfo(gate, pki.orders)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: postgres.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1")
    # It ends when it sees something behind the position.
    postgres.sql("SELECT pg_logical_emit_message(true, 'tests', 'behind'), pg_switch_wal()")
    _, errors = receiving.communicate(timeout=60)
    assert receiving.returncode == 0, errors
    assert sum(each.stat().st_size for each in (tmp_path / "wal").iterdir()) >= 16 << 20
    record = gate.wait_for("connection-allowed")[0]
    # Physical replication is of the whole cluster.
    assert record["countersign"]["postgres"]["replication"] == "true"
    assert "database" not in record["countersign"]["postgres"]


# MARK: passwords


def test_scram_goes_through(front, pki, postgres):
    assert postgres.sql("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'orders_rw'") == "t"
    done = psql(front(), pki.orders, "SELECT 1", password="wrong")
    assert done.returncode == 2
    assert 'password authentication failed for user "orders_rw"' in done.stderr


def test_channel_binding_fails_as_the_guide_says(front, pki):
    done = psql(front(), pki.orders, "SELECT 1", channel_binding="require")
    assert done.returncode == 2
    assert "channel binding" in done.stderr


# MARK: what the gateway says when it has to


def test_an_upstream_that_is_down(front, pki):
    gate = front(f"127.0.0.1:{free_port()}")
    done = psql(gate, pki.orders, "SELECT 1")
    assert done.returncode == 2
    assert "FATAL:  the server behind the gateway cannot be reached" in done.stderr
    stream = secure(gate, pki.orders)
    stream.sendall(startup(user="orders_rw", database="raw"))
    assert [error(each)["C"] for each in messages(stream)] == ["08006"]
    gate.wait_for("upstream-failed", count=2, reason="upstream_unreachable")


def test_a_log_that_cannot_be_written(front, pki):
    gate = front(audit={"path": "/dev/full"}, start=False)
    gate.start(wait=False)
    stream = secure_once_it_listens(gate, pki.orders)
    stream.sendall(startup(user="orders_rw", database="raw"))
    assert [error(each)["C"] for each in messages(stream)] == ["57P03"]


def secure_once_it_listens(gate, identity):
    def reached():
        try:
            return plain(gate)
        except ConnectionRefusedError:
            assert gate.process.poll() is None, gate.stderr()
            return None

    return secure(gate, identity, raw=wait_until(reached, what="a gateway that listens"))


def test_too_many_connections(front, pki):
    gate = front(limits={"max_connections": 1})
    with psycopg.connect(conninfo(gate, pki.orders)):
        done = psql(gate, pki.orders, "SELECT 1")
        assert done.returncode == 2
        # Told before TLS, so newer clients say that there was an error, and not which (CVE-2024-10977).
        assert "server sent an error response" in done.stderr
        with plain(gate) as raw:
            raw.sendall(SSL_REQUEST)
            assert [error(each)["C"] for each in messages(raw)] == ["53300"]
    gate.wait_for("limit-reached", count=2)


def test_a_drain_tells_idle_clients(front, pki):
    gate = front(drain_timeout="1s")
    with psycopg.connect(conninfo(gate, pki.orders), autocommit=True) as connection:
        connection.execute("SELECT 1")
        gate.stop()
        with pytest.raises(psycopg.errors.AdminShutdown, match="the gateway is shutting down"):
            connection.execute("SELECT 1")
    gate.wait_for("connection-closed", reason="drain")


def test_a_drain_does_not_put_its_words_into_the_middle_of_an_answer(front, pki):
    gate = front(drain_timeout="1s")
    stream, _, _ = open_raw(gate, pki.orders)
    # The server sends what does not fit into its buffer, so the first row is there in part.
    query(stream, "SELECT repeat('x', 20000); SELECT pg_sleep(60)")
    assert message(stream)[0] == b"T"
    gate.stop()
    rest = b""
    while data := stream.recv(65536):
        rest += data
    assert rest.startswith(b"D") and rest.endswith(b"xxx")


def test_a_drain_tells_a_client_that_has_not_said_who_it_wants_to_be(front, pki):
    gate = front(drain_timeout="1s")
    stream = secure(gate, pki.orders)
    gate.stop()
    assert [error(each)["C"] for each in messages(stream)] == ["57P01"]


# MARK: slowness


@pytest.mark.parametrize("within", [False, True], ids=["before TLS", "within TLS"])
def test_one_byte_a_second_ends_at_the_handshake_timeout(front, pki, within):
    gate = front(limits={"handshake_timeout": "2s"})
    stream = secure(gate, pki.orders) if within else plain(gate)
    stream.settimeout(1)
    packet = startup(user="orders_rw", database="raw") if within else SSL_REQUEST
    ended = False
    for byte in packet:
        try:
            stream.sendall(bytes([byte]))
            if stream.recv(100) == b"":
                ended = True
                break
        except TimeoutError:
            continue
        except OSError:
            ended = True
            break
    assert ended
    record = gate.wait_for("handshake-failed", reason="timeout")[0]
    assert record["error"]["message"] == "the handshake did not complete within handshake_timeout"
    assert record["event"]["outcome"] == "failure"


def test_a_first_message_in_pieces_is_read(front, pki):
    gate = front()
    raw = plain(gate)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in SSL_REQUEST:
        raw.sendall(bytes([byte]))
    assert raw.recv(1) == b"S"
    made = context(gate.pki, pki.orders)
    stream = made.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
    for byte in startup(user="orders_rw", database="raw"):
        stream.sendall(bytes([byte]))
    assert message(stream) == (b"R", struct.pack("!i", 0))
    stream.close()


def test_what_comes_with_the_first_message_goes_to_the_server(front, pki):
    stream = secure(front(), pki.orders)
    statement = b"SELECT 'behind'\0"
    stream.sendall(
        startup(user="orders_rw", database="raw") + b"Q" + struct.pack("!i", 4 + len(statement)) + statement)
    answer(stream)
    assert (b"D", struct.pack("!hi", 1, 6) + b"behind") in answer(stream)
    stream.close()
