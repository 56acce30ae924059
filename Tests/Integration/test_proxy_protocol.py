"""PROXY headers: believed from those who must send them, refused from everybody else, and sent on."""

import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from support.clients import context, receive
from support.gateway import POLICY
from support.postgres import POLICY as POSTGRES_POLICY
from support.postgres import SSL_REQUEST, message, psql, secure, startup
from support.proxy_protocol import LOCAL, HAProxy, extension, extensions, read_header, v1, v2

TRUSTED = {"proxy_protocol": {"from": ["127.0.0.1"]}}
DISTRUSTED = {"proxy_protocol": {"from": ["10.0.0.0/8"]}}


@pytest.fixture
def haproxy(tmp_path):
    """Makes HAProxies; `PORT` in the text stands for their own."""
    made = []

    def make(text):
        made.append(HAProxy(tmp_path / f"haproxy-{len(made)}", text))
        return made[-1]

    yield make
    for each in made:
        each.close()


def opened(gate, identity, header, **arguments):
    """A TLS connection that begins with `header`."""
    raw = socket.create_connection(gate.address, timeout=20)
    raw.sendall(header)
    return context(gate.pki, identity, **arguments).wrap_socket(
        raw, server_hostname="localhost", suppress_ragged_eofs=False)


def ping(stream):
    stream.sendall(b"ping")
    return receive(stream, 4)


def refused(gate, data):
    """Sends bytes and waits for the end of the connection; returns the message of the record."""
    with socket.create_connection(gate.address, timeout=20) as raw:
        raw.sendall(data)
        try:
            while raw.recv(65536):
                pass
        except ConnectionResetError:
            pass
    return gate.wait_for("handshake-failed", reason="proxy_header")[0]["error"]["message"]


# MARK: HAProxy in front

SENDER = """
frontend in
    bind 127.0.0.1:PORT
    default_backend out
backend out
    server gate {} {}
"""

FROM_OUTSIDE = {**POLICY, "rules": [
    {**POLICY["rules"][0], "when": {"client_ip": "127.0.0.2", "source_ip": "127.0.0.1"}}]}


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_haproxy_tells_where_the_client_is(gateway, upstream, pki, haproxy, version):
    gate = gateway(upstream().address, listener=TRUSTED, policy=FROM_OUTSIDE, start=False)
    front = haproxy(SENDER.format(f"127.0.0.1:{gate.port}", version))
    gate.start()
    raw = socket.create_connection(("127.0.0.1", front.port), timeout=20, source_address=("127.0.0.2", 0))
    port = raw.getsockname()[1]
    with context(pki, pki.orders).wrap_socket(raw, server_hostname="localhost") as stream:
        assert ping(stream) == b"ping"
    record = gate.wait_for("connection-allowed")[0]
    assert (record["client"]["ip"], record["client"]["port"]) == ("127.0.0.2", port)
    assert record["source"]["ip"] == "127.0.0.1"
    assert record["source"]["port"] != port
    # From elsewhere the same certificate is not enough.
    raw = socket.create_connection(("127.0.0.1", front.port), timeout=20, source_address=("127.0.0.3", 0))
    with context(pki, pki.orders).wrap_socket(raw, server_hostname="localhost") as stream:
        assert stream.recv(1) == b""
    assert gate.wait_for("connection-denied")[0]["client"]["ip"] == "127.0.0.3"


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_psql_through_haproxy(gateway, postgres, pki, haproxy, version):
    gate = gateway(
        postgres.address, listener={**TRUSTED, "protocol": "postgres"}, policy=POSTGRES_POLICY, start=False)
    front = haproxy(SENDER.format(f"127.0.0.1:{gate.port}", version))
    gate.start()
    done = psql(gate, pki.orders, "SELECT 1", port=front.port)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


# MARK: HAProxy behind

RECEIVER = """
frontend in
    mode http
    bind 127.0.0.1:PORT accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"
"""


@pytest.mark.parametrize("version", ["v1", "v2", "v2_tls"])
@pytest.mark.parametrize("claim", [None, v1(), v1("2001:db8::7", "2001:db8::1")], ids=["none", "v4", "v6"])
def test_haproxy_is_told_where_the_client_is(gateway, pki, haproxy, version, claim):
    back = haproxy(RECEIVER)
    gate = gateway(
        {"name": "back", "address": back.address, "proxy_protocol": version}, listener=TRUSTED if claim else None)
    stream = opened(gate, pki.orders, claim or b"")
    own = stream.getsockname()
    stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
    text = b""
    while piece := stream.recv(4096):
        text += piece
    if claim:
        source, destination, *ports = claim.decode().split()[2:]
        expected = f"{source} {ports[0]} {destination} {ports[1]}"
    else:
        expected = f"127.0.0.1 {own[1]} 127.0.0.1 {gate.port}"
    assert text.decode().split("\r\n\r\n")[1] == expected


# MARK: what is sent on


@pytest.fixture
def told(upstream):
    """An upstream that keeps the headers it got and echoes what follows."""
    headers = []

    def serve(connection):
        headers.append(read_header(connection))
        while data := connection.recv(65536):
            connection.sendall(data)

    back = upstream(serve)
    back.headers = headers
    return back


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_header_for_the_upstream(gateway, told, pki, version):
    gate = gateway({"name": "back", "address": told.address, "proxy_protocol": version})
    with opened(gate, pki.orders, b"") as stream:
        assert ping(stream) == b"ping"
        ports = (stream.getsockname()[1], gate.port)
    header = told.headers[0]
    assert header["version"] == int(version[1])
    assert (header["source"], header["destination"], header["ports"]) == ("127.0.0.1", "127.0.0.1", ports)
    assert header.get("extensions", []) == []


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_header_for_the_upstream_with_tls(gateway, told, pki, maximum):
    names = [x509.UniformResourceIdentifier("spiffe://acme.example/worker/orders")]
    named = pki.issue("named", names, subject=[(NameOID.COMMON_NAME, "Órdenes")])
    gate = gateway({"name": "back", "address": told.address, "proxy_protocol": "v2_tls"})
    with opened(gate, named, b"", maximum=maximum) as stream:
        assert ping(stream) == b"ping"
        cipher, version = stream.cipher()[0], stream.version()
    (kind, tls), (last, caller) = told.headers[0]["extensions"]
    assert (kind, last, caller) == (0x20, 0xe0, b"worker/orders")
    # Over TLS, with a certificate in this connection and session, which was verified.
    assert tls[:5] == b"\x07\0\0\0\0"
    inner = dict(extensions(tls[5:]))
    assert inner == {
        0x21: version.encode(),
        0x22: "Órdenes".encode(),
        0x23: cipher.encode(),
        0x28: named.x509.public_bytes(serialization.Encoding.DER),
    }


def test_a_postgres_behind_haproxy_gets_the_header_before_everything(gateway, postgres, pki, haproxy):
    back = haproxy(
        f"frontend in\n    bind 127.0.0.1:PORT accept-proxy\n    tcp-request session reject unless {{ src 192.0.2.7 }}\n"
        f"    default_backend out\nbackend out\n    server postgres {postgres.address}\n")
    gate = gateway(
        {"name": "back", "address": back.address, "proxy_protocol": "v2_tls"},
        listener={**TRUSTED, "protocol": "postgres"}, policy=POSTGRES_POLICY)
    raw = socket.create_connection(gate.address, timeout=20)
    raw.sendall(v2())
    stream = secure(gate, pki.orders, raw=raw)
    stream.sendall(startup(user="orders_rw", database="raw"))
    assert message(stream)[0] == b"R"
    stream.close()


# MARK: what is taken

GOOD = {
    "v1": (v1(), "192.0.2.7", 4321),
    "v1 of IPv6": (v1("2001:db8::7", "2001:db8::1"), "2001:db8::7", 4321),
    "v2": (v2(), "192.0.2.7", 4321),
    "v2 of IPv6": (v2("2001:db8::7", "2001:db8::1"), "2001:db8::7", 4321),
    "v2 with extensions": (v2(extensions=extension(0x04, bytes(100)) + extension(0xee, b"x")), "192.0.2.7", 4321),
    "v2 of 16 KiB": (v2(extensions=extension(0x04, bytes(16384 - 16 - 12 - 3))), "192.0.2.7", 4321),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", None, None),
    "v1 unknown with words": (b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n", None, None),
    "v2 local": (v2(command=LOCAL), None, None),
    "v2 unspecified": (v2()[:13] + b"\0\0\0", None, None),
}


@pytest.mark.parametrize("protocol", ["tcp", "postgres"])
@pytest.mark.parametrize("header, ip, port", GOOD.values(), ids=GOOD.keys())
def test_a_header_is_believed(gateway, upstream, pki, header, ip, port, protocol):
    gate = gateway(upstream().address, listener={**TRUSTED, "protocol": protocol})
    raw = socket.create_connection(gate.address, timeout=20)
    own = raw.getsockname()
    if protocol == "postgres":
        raw.sendall(header)
        stream = secure(gate, pki.unmapped, raw=raw)
        stream.sendall(startup(user="x"))
        record = gate.wait_for("connection-denied")[0]
    else:
        # Header and TLS in one piece: nothing of what stands behind the header is lost.
        stream = Joined(raw, context(pki, pki.orders), header)
        assert stream.ping() == b"ping"
        record = gate.wait_for("connection-allowed")[0]
    assert (record["client"]["ip"], record["client"]["port"]) == ((ip, port) if ip else own)
    assert (record["source"]["ip"], record["source"]["port"]) == own
    raw.close()


class Joined:
    """TLS whose first flight is sent in one call with what stands before it."""

    def __init__(self, raw, made, prefix):
        self.raw, self.incoming, self.outgoing = raw, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = made.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.prefix = prefix
        self._do(self.session.do_handshake)

    def _do(self, call):
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                self._send()
                self.incoming.write(self.raw.recv(65536))
            else:
                self._send()
                return result

    def _send(self):
        self.raw.sendall(self.prefix + self.outgoing.read())
        self.prefix = b""

    def ping(self):
        self._do(lambda: self.session.write(b"ping"))
        return self._do(lambda: self.session.read(4))


@pytest.mark.parametrize("header", [v1(), v2(extensions=extension(0xee, b"x"))], ids=["v1", "v2"])
@pytest.mark.parametrize("size", [1, 7])
def test_a_header_in_pieces(gateway, upstream, pki, header, size):
    gate = gateway(upstream().address, listener=TRUSTED)
    raw = socket.create_connection(gate.address, timeout=20)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(header), size):
        raw.sendall(header[start:start + size])
    with context(pki, pki.orders).wrap_socket(raw, server_hostname="localhost") as stream:
        assert ping(stream) == b"ping"
    assert gate.wait_for("connection-allowed")[0]["client"]["ip"] == "192.0.2.7"


# MARK: what is refused

BAD = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "SSLRequest": SSL_REQUEST,
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "v1 without end": b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 6432" + b" " * 100,
    "v1 in lower case": v1().lower(),
    "v1 of a name": v1("localhost"),
    "v1 of IPv4 as TCP6": v1(family="TCP6"),
    "v1 with port 65536": v1(source_port=65536),
    "v1 with a leading zero": v1().replace(b"4321", b"04321"),
    "v1 with LF alone": v1().replace(b"\r", b""),
    "v1 with two spaces": v1().replace(b" 4321", b"  4321"),
    "v1 of datagrams": v1(family="UDP4"),
    "v2 of version 1": v2(command=0x11),
    "v2 of an unknown command": v2(command=0x22),
    "v2 of datagrams": v2(family=0x12),
    "v2 too short for its addresses": v2(length=11),
    "v2 over 16 KiB": v2(extensions=extension(0x04, bytes(16384 - 16 - 12 - 3 + 1))),
    "v2 of 64 KiB": v2(length=0xffff),
    "v2 with an extension over the end": v2(extensions=b"\x04\0\x05abc"),
    "v2 with a wrong checksum": v2(extensions=extension(0x03, b"\1\2\3\4")),
    "v2 with a broken SSL extension": v2(extensions=extension(0x20, b"\7\0\0\0\0\x21\0\x09x")),
    "v2 with a broken signature": v2().replace(b"QUIT", b"QUIX"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_is_no_header_is_refused_from_those_who_must_send_one(gateway, upstream, pki, data):
    back = upstream()
    gate = gateway(back.address, listener=TRUSTED)
    assert refused(gate, data)
    gate.stop()
    assert back.accepted == 0


@pytest.mark.parametrize("protocol", ["tcp", "postgres"])
@pytest.mark.parametrize("listener", [{}, DISTRUSTED], ids=["no key", "not listed"])
@pytest.mark.parametrize("header", [v1(), v2()], ids=["v1", "v2"])
def test_a_header_from_somebody_else_is_refused(gateway, upstream, pki, protocol, listener, header):
    back = upstream()
    gate = gateway(back.address, listener={**listener, "protocol": protocol})
    assert "the client began with a PROXY header" in refused(gate, header)
    record = gate.records("handshake-failed")[0]
    assert record["client"]["ip"] == "127.0.0.1"
    gate.stop()
    assert back.accepted == 0


@pytest.mark.parametrize("protocol", ["tcp", "postgres"])
@pytest.mark.parametrize("second", [v1(), v2()], ids=["v1", "v2"])
def test_a_second_header_is_refused(gateway, upstream, pki, protocol, second):
    gate = gateway(upstream().address, listener={**TRUSTED, "protocol": protocol})
    assert refused(gate, v2() + second) == "a PROXY header is followed by another one"


def test_somebody_else_comes_without_a_header_as_ever(gateway, upstream, pki):
    gate = gateway(upstream().address, listener=DISTRUSTED)
    with opened(gate, pki.orders, b"") as stream:
        assert ping(stream) == b"ping"


def test_a_header_from_somebody_else_byte_by_byte(gateway, upstream, pki):
    gate = gateway(upstream().address)
    with socket.create_connection(gate.address, timeout=20) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for byte in v1():
                raw.sendall(bytes([byte]))
            raw.recv(1)
        except OSError:
            pass
    gate.wait_for("handshake-failed", reason="proxy_header")


# MARK: one deadline


@pytest.mark.parametrize("protocol", ["tcp", "postgres"])
def test_header_and_handshake_have_one_deadline(gateway, upstream, pki, protocol):
    gate = gateway(
        upstream().address, listener={**TRUSTED, "protocol": protocol}, limits={"handshake_timeout": "2s"})
    with socket.create_connection(gate.address, timeout=20) as raw:
        begun = time.monotonic()
        raw.sendall(v2()[:20])
        raw.settimeout(1)
        with pytest.raises(TimeoutError):
            raw.recv(1)
        # The header is whole now, and puts nothing off.
        raw.sendall(v2()[20:])
        raw.settimeout(20)
        try:
            raw.recv(1)
        except ConnectionResetError:
            pass
        assert 1.5 < time.monotonic() - begun < 2.9
    record = gate.wait_for("handshake-failed", reason="timeout")[0]
    assert record["client"]["ip"] == "192.0.2.7"


@pytest.mark.parametrize("data", [b"", b"PROXY TCP4 192.0.2.7", v2()[:13]], ids=["nothing", "v1", "v2"])
def test_a_header_that_does_not_end_is_waited_for_until_the_deadline(gateway, upstream, pki, data):
    gate = gateway(upstream().address, listener=TRUSTED, limits={"handshake_timeout": "1s"})
    with socket.create_connection(gate.address, timeout=20) as raw:
        raw.sendall(data)
        try:
            raw.recv(1)
        except ConnectionResetError:
            pass
    gate.wait_for("handshake-failed", reason="timeout")
