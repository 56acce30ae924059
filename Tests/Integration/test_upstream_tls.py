"""TLS between the gateway and what stands behind it: whom the gateway believes, and what becomes of the rest."""

import hashlib
import json
import socket
import ssl
import subprocess

import pytest
from cryptography import x509

from support.clients import connect, receive
from support.gateway import BINARY
from support.pki import PKI, SERVER
from support.postgres import (
    POLICY, Postgres, answer, cancel_request, error, messages, open_raw, psql, query, secure, startup)
from support.tls_upstreams import answering, server_context, within_tls
from support.wait import wait_until

BLOCK = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """The CA of the servers behind the gateway, with one server as attribute."""
    made = PKI(tmp_path_factory.mktemp("databases"), "Databases' CA")
    made.good = made.server("database")
    made.expired = made.issue("old", [*names(made.good)], (SERVER,), starts=-7200, ends=-3600)
    made.gateway = made.issue("gateway")
    return made


def names(identity):
    return identity.x509.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


@pytest.fixture(scope="module")
def secured(tmp_path_factory, databases):
    """A cluster that takes TLS alone, and certificates of its CA alone."""
    server = Postgres(tmp_path_factory.mktemp("secured") / "server", tls=databases.good,
                      client_ca=databases.ca.certificate)
    yield server
    server.close()


def back(databases, *addresses, identity=True, **tls):
    """The upstream of a configuration."""
    known = {"ca": str(databases.ca.certificate)}
    if identity:
        known |= {"certificate": str(databases.gateway.certificate), "private_key": str(databases.gateway.key)}
    return {"name": "back", "address": list(addresses), "tls": {**known, **tls}}


@pytest.fixture
def front(gateway):
    def make(upstream, **arguments):
        return gateway(upstream, policy=POLICY, listener={"protocol": "postgres"}, **arguments)

    return make


# MARK: Postgres


def test_a_postgres_with_tls(front, pki, databases, secured):
    gate = front(back(databases, secured.address))
    done = psql(
        gate, pki.orders, "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        channel_binding="disable")
    assert (done.returncode, done.stdout.strip()) == (0, "t|TLSv1.3"), done.stderr
    # psql says that it goes, and the server closes too: either end may be seen first.
    closed = gate.wait_for("connection-closed")[0]
    assert closed["event"]["reason"] in ("client_closed", "upstream_closed")


def test_channel_binding_between_two_certificates_fails(front, pki, databases, secured):
    """What clients prefer by default fails here too, as the guide says."""
    done = psql(front(back(databases, secured.address)), pki.orders, "SELECT 1")
    assert done.returncode == 2
    assert "SCRAM channel binding check failed" in done.stderr


def test_channel_binding_holds_where_the_gateway_shows_the_servers_certificate(front, pki, databases, secured):
    own = {"certificate": str(databases.good.certificate), "private_key": str(databases.good.key)}
    gate = front(back(databases, secured.address), tls=own)
    done = psql(
        gate, pki.orders, "SELECT 1", channel_binding="require", sslrootcert=str(databases.ca.certificate))
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


def test_a_cancel_reaches_a_postgres_with_tls(front, pki, databases, secured):
    gate = front(back(databases, secured.address), drain_timeout="1s")
    stream, process, key = open_raw(gate, pki.orders)
    query(stream, "SELECT pg_sleep(60)")
    wait_until(lambda: secured.sql(
        f"SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND wait_event = 'PgSleep'") == "1")
    other = secure(gate, pki.orders)
    other.sendall(cancel_request(process, key))
    assert other.recv(1) == b""
    assert error(answer(stream)[-1])["C"] == "57014"
    stream.close()


def test_channel_binding_is_warned_of(front, pki, databases, secured):
    gate = front(back(databases, secured.address), start=False)
    done = subprocess.run(
        [BINARY, "check", "--config", gate.path, "--format", "json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    [found] = json.loads(done.stdout)["findings"]
    assert (found["severity"], found["code"]) == ("warning", "channel-binding")
    for remedy in ("channel_binding=disable", "the server's own certificate and key", "leave tls of the upstream away"):
        assert remedy in found["hint"]


def test_a_gateway_without_the_certificate_that_the_server_wants(front, pki, databases, secured):
    gate = front(back(databases, secured.address, identity=False))
    done = psql(gate, pki.orders, "SELECT 1")
    assert done.returncode == 2
    # The server itself says so, within TLS.
    assert "connection requires a valid client certificate" in done.stderr


BAD = {
    "another CA": (lambda made, pki: within_tls(server_context(pki.server("other")), idle, asked=True), {},
                   "X509_V_ERR_"),
    "another name": (lambda made, pki: within_tls(server_context(made.good), idle, asked=True),
                     {"server_name": "db.internal"}, "X509_V_ERR_HOSTNAME_MISMATCH"),
    "another address": (lambda made, pki: within_tls(server_context(made.good), idle, asked=True),
                        {"server_name": "192.0.2.1"}, "X509_V_ERR_IP_ADDRESS_MISMATCH"),
    "expired": (lambda made, pki: within_tls(server_context(made.expired), idle, asked=True), {},
                "X509_V_ERR_CERT_HAS_EXPIRED"),
    "a client's certificate": (lambda made, pki: within_tls(server_context(made.gateway), idle, asked=True), {},
                               "X509_V_ERR_"),
    "no TLS": (lambda made, pki: answering(b"N"), {}, None),
    "bytes behind S": (lambda made, pki: answering(b"SE\0\0\0\x05x"), {}, None),
    "an error": (lambda made, pki: answering(b"E\0\0\0\x08oops"), {}, None),
    "garbage": (lambda made, pki: answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {}, None),
    "no answer": (lambda made, pki: answering(b""), {}, None),
    "no TLS behind S": (lambda made, pki: slowly(b"S", bytes(100)), {}, "SSL_R_"),
}
TEXTS = {
    "no TLS": "does not speak TLS", "bytes behind S": "bytes behind its answer", "an error": "with an error",
    "garbage": "neither S nor N", "no answer": "instead of answering SSLRequest",
}


def idle(stream):
    while stream.recv(4096):
        pass


def slowly(first, second):
    """The second bytes follow when TLS has begun, so that they are not behind the first."""

    def serve(connection):
        connection.recv(8)
        connection.sendall(first)
        connection.recv(4096)
        connection.sendall(second)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    return serve


@pytest.mark.parametrize("case", BAD)
def test_an_upstream_that_is_not_believed(front, upstream, pki, databases, case):
    serve, tls, code = BAD[case]
    gate = front(back(databases, upstream(serve(databases, pki)).address, **tls))
    stream = secure(gate, pki.orders)
    stream.sendall(startup(user="orders_rw", database="raw"))
    assert [error(each)["C"] for each in messages(stream)] == ["08006"]
    record = gate.wait_for("upstream-failed", reason="upstream_tls")[0]
    assert record["error"].get("code", "").startswith(code or "")
    assert (code is None) == ("code" not in record["error"])
    assert TEXTS.get(case, "") in record["error"]["message"]


@pytest.mark.parametrize("case", ["another CA", "no TLS", "bytes behind S", "no answer"])
def test_the_next_address_is_tried(front, upstream, pki, databases, secured, case):
    serve, tls, _ = BAD[case]
    bad = upstream(serve(databases, pki))
    gate = front(back(databases, bad.address, secured.address, **tls))
    done = psql(gate, pki.orders, "SELECT 1", channel_binding="disable")
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr
    closed = gate.wait_for("connection-closed")[0]
    assert closed["destination"]["port"] == secured.port


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_upstream_that_refuses_the_gateways_certificate(front, upstream, pki, databases, maximum):
    made = server_context(databases.good, databases.ca.certificate, maximum)
    gate = front(back(databases, upstream(within_tls(made, idle, asked=True)).address, identity=False))
    done = psql(gate, pki.orders, "SELECT 1")
    assert done.returncode == 2
    assert "the server behind the gateway cannot be reached" in done.stderr
    record = gate.wait_for("upstream-failed", reason="upstream_tls")[0]
    # In TLS 1.2 it is a handshake failure (RFC 5246 §7.4.6).
    assert record["error"]["code"] in (
        "SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE")


# MARK: any other protocol


def tcp(gateway, upstream, databases, serve, **arguments):
    made = server_context(databases.good, databases.ca.certificate)
    return gateway(back(databases, upstream(within_tls(made, serve)).address), **arguments)


def test_100_megabytes_each_way(gateway, upstream, pki, databases):
    digests = []

    def serve(stream):
        digest, left = hashlib.sha256(), 100 * len(BLOCK)
        while left:
            data = stream.recv(65536)
            assert data
            digest.update(data)
            left -= len(data)
        digests.append(digest.hexdigest())
        for _ in range(100):
            stream.sendall(BLOCK)
        stream.unwrap()

    gate = tcp(gateway, upstream, databases, serve)
    expected, received = hashlib.sha256(), hashlib.sha256()
    with connect(gate, pki.orders) as stream:
        for _ in range(100):
            stream.sendall(BLOCK)
            expected.update(BLOCK)
        for _ in range(100):
            received.update(receive(stream, len(BLOCK)))
        assert stream.recv(1) == b""
    assert digests == [expected.hexdigest()]
    assert received.hexdigest() == expected.hexdigest()
    record = gate.wait_for("connection-closed", reason="upstream_closed")[0]
    assert (record["source"]["bytes"], record["destination"]["bytes"]) == (100 * len(BLOCK), 100 * len(BLOCK))


def test_a_client_that_ends_is_answered_all_the_same(gateway, upstream, pki, databases):
    def serve(stream):
        data = b""
        while piece := stream.recv(65536):
            data += piece
        stream.sendall(data[::-1])
        stream.unwrap()

    gate = tcp(gateway, upstream, databases, serve)
    with connect(gate, pki.orders) as stream:
        stream.sendall(b"abc")
        # Without close_notify, which Python cannot send alone: the upstream is told the end all the same.
        socket.socket.shutdown(stream, socket.SHUT_WR)
        assert receive(stream, 3) == b"cba"
    gate.wait_for("connection-closed", reason="client_closed")


def test_an_upstream_that_drops_tcp_does_not_look_whole_to_the_client(gateway, upstream, pki, databases):
    def serve(stream):
        stream.recv(65536)
        stream.sendall(b"a part")
        # close(2) without close_notify.
        socket.socket.shutdown(stream, socket.SHUT_WR)
        socket.socket.recv(stream, 1)

    gate = tcp(gateway, upstream, databases, serve)
    with connect(gate, pki.orders) as stream:
        stream.sendall(b"x")
        assert receive(stream, 6) == b"a part"
        with pytest.raises(ssl.SSLEOFError):
            stream.recv(1)
    assert gate.wait_for("connection-closed")[0]["countersign"]["truncated"] is True


def test_the_upstreams_end_looks_whole_to_the_client(gateway, upstream, pki, databases):
    def serve(stream):
        stream.recv(65536)
        stream.sendall(b"all of it")
        stream.unwrap()

    gate = tcp(gateway, upstream, databases, serve)
    with connect(gate, pki.orders) as stream:
        stream.sendall(b"x")
        assert receive(stream, 9) == b"all of it"
        assert stream.recv(1) == b""
