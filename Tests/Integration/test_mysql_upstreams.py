"""The way from the gateway to MariaDB: TLS in its in-band form, Unix sockets, PROXY headers, odd servers."""

import socket
import ssl

import pytest

from support import mysql_wire
from support.mariadb import MYSQL, OWN_ACCOUNT, cli, driver
from support.mysql_wire import OK, Client, error, greeting, packet, read_packet, response, server
from support.pki import PKI

# From 192.0.2.7, port 4321, as HAProxy's proxy-protocol.txt writes it.
HEADERS = {
    "v1": b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 6432\r\n",
    "v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x10\xe1\x19\x20",
}


def back(address, **keys):
    return {"name": "back", "address": address, **keys}


def tls(pki, identity=None, ca=None, **keys):
    if identity is not None:
        keys.update(certificate=str(identity.certificate), private_key=str(identity.key))
    return {"ca": str(ca or pki.ca.certificate), **keys}


@pytest.fixture
def own(gateway):
    return lambda upstream, **keys: gateway(upstream, policy=OWN_ACCOUNT, listener={**MYSQL, **keys})


@pytest.mark.parametrize("user", ["orders_rw", "orders_ed"])
def test_tls_with_a_name_and_a_certificate(own, mariadb_tls, pki, user):
    front = own(back(mariadb_tls.address, tls=tls(pki, pki.worker("gateway", "gateway"))))
    with driver(front, pki.orders, user) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        assert cursor.fetchone() == ("Ssl_version", "TLSv1.3")
        cursor.execute("SELECT REPEAT('x', 20000000)")
        assert len(cursor.fetchone()[0]) == 20_000_000


def test_the_accounts_want_the_certificate(own, mariadb_tls, pki):
    front = own(back(mariadb_tls.address, tls=tls(pki)))
    assert "ERROR 1045 (28000): Access denied for user 'orders_rw'" in cli(front, pki.orders).stderr


@pytest.mark.parametrize("why", ["another CA", "another name", "no TLS"])
def test_an_upstream_that_is_not_the_one_meant(own, mariadb, mariadb_tls, pki, tmp_path, why):
    keys = {
        "another CA": {"ca": PKI(tmp_path / "other").ca.certificate}, "another name": {"server_name": "db.example"},
        "no TLS": {},
    }[why]
    address = (mariadb if why == "no TLS" else mariadb_tls).address
    front = own(back(address, tls=tls(pki, **keys)))
    assert "ERROR 1105 (HY000): the server behind the gateway cannot be reached" in cli(front, pki.orders).stderr
    front.wait_for("upstream-failed", reason="upstream_tls")


def test_a_unix_socket(own, mariadb, pki):
    front = own(mariadb.unix)
    done = cli(front, pki.orders, command="SELECT USER()")
    assert (done.returncode, done.stdout) == (0, "orders_rw@localhost\n"), done.stderr


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("out", ["v1", "v2"])
def test_proxy_headers_reach_mariadb(own, mariadb, pki, header, out):
    front = own(back(mariadb.address, proxy_protocol=out), proxy_protocol={"from": ["127.0.0.1"]})
    with Client(front, pki.orders, header=header).log_in() as client:
        assert client.ask("SELECT USER()") == "orders_rw@192.0.2.7"
    assert front.wait_for("connection-allowed")[0]["client"]["ip"] == "192.0.2.7"


@pytest.mark.parametrize("how", ["full authentication", "mysql_clear_password", "sha256_password", "dialog"])
@pytest.mark.parametrize("way", ["plain TCP", "Unix socket", "TLS"])
def test_a_password_itself_goes_over_confidential_ways_only(own, upstream, pki, tmp_path, how, way):
    heard = []
    script = mysql_wire.asking_for_the_password(how, heard)
    if way == "TLS":
        identity = pki.server("back")
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(identity.certificate, identity.key)
        made = upstream(server(script, tls=made))
        front = own(back(made.address, tls=tls(pki)))
    elif way == "Unix socket":
        front = own(upstream(server(script), family=socket.AF_UNIX, address=str(tmp_path / "s")).address)
    else:
        front = own(upstream(server(script)).address)
    with Client(front, pki.orders) as client:
        client.send(response())
        sequence, payload = client.read()
        if how == "full authentication":
            assert (sequence, payload[:22]) == (3, b"\xfecaching_sha2_password")
            client.send(packet(bytes(32), 4))
            sequence, payload = client.read()
        if way == "plain TCP":
            assert error(payload)[0] == 1105
            assert client.is_over()
            assert "TLS or a Unix socket" in front.wait_for("upstream-failed")[0]["error"]["message"]
            assert not any(b"secret" in each for each in heard)
        else:
            assert payload[:1] in (b"\xfe", b"\1")
            client.send(packet(b"secret\0", sequence + 1))
            assert client.read() == (sequence + 2, OK)
            assert heard == [b"secret\0"]


def test_mysql_of_oracle_lets_a_driver_in_by_what_it_knows(own, upstream, pki):
    """caching_sha2_password where the server has the hash in its cache."""

    def script(stream, sequence):
        stream.sendall(packet(b"\xfecaching_sha2_password\0" + bytes(range(1, 21)) + b"\0", sequence))
        sequence, proof = read_packet(stream)
        assert len(proof) == 32
        stream.sendall(packet(b"\1\3", sequence + 1) + packet(OK, sequence + 2))
        sequence, payload = read_packet(stream)
        while sequence == 0 and payload:
            stream.sendall(packet(OK, 1))
            sequence, payload = read_packet(stream)

    front = own(upstream(server(script)).address)
    driver(front, pki.orders).close()
    front.wait_for("connection-closed")


ODD = {
    "garbage": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a packet of"),
    "another protocol": (packet(b"\x09 3.23\0" + bytes(40), 0), "another protocol than 10"),
    "an empty packet": (packet(b"", 0), "another protocol than 10"),
    "a length of 2^24 - 1": (b"\xff\xff\xff\0" + bytes(100), "a packet of 16777215 bytes"),
    "a short greeting": (packet(b"\n8.0.36\0abc", 0), "too short"),
    "bytes behind the greeting": (greeting() + b"x", "bytes behind its greeting"),
    "a sequence": (greeting(sequence=1), "the sequence 1"),
    "no plugins": (greeting(capabilities=mysql_wire.CAPABILITIES & ~mysql_wire.PLUGINS), "no authentication plugins"),
    "nothing": (b"", "without a word"),
    "half a greeting": (greeting()[:30], "in the middle of its first message"),
}


@pytest.mark.parametrize("data, message", ODD.values(), ids=ODD.keys())
def test_an_upstream_that_greets_oddly(own, upstream, pki, data, message):
    front = own(upstream(lambda connection: connection.sendall(data)).address)
    assert "ERROR 1105 (HY000): the server behind" in cli(front, pki.orders).stderr
    assert message in front.wait_for("upstream-failed", reason="upstream_unreachable")[0]["error"]["message"]


ANSWERS = {
    "a sequence": packet(OK, 9),
    "an empty packet": packet(b"", 2),
    "the authentication before 4.1": packet(b"\xfe", 2),
    "an error cut short": packet(b"\xff\x15", 2),
    "a packet of 16 MB": b"\xff\xff\xff\2" + bytes(1000),
    "the end": b"",
}


@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_upstream_that_authenticates_oddly(own, upstream, pki, data):
    def script(stream, sequence):
        stream.sendall(data)
        stream.shutdown(2)

    front = own(upstream(server(script)).address)
    with Client(front, pki.orders) as client:
        client.send(response())
        sequence, payload = client.read()
        assert (sequence, error(payload)[0]) == (3, 1105)
        assert client.is_over()
    front.wait_for("upstream-failed", reason="upstream_unreachable")


def test_an_authentication_without_end(own, upstream, pki, tmp_path):
    """Sequences would come to 0 again, and a client's packet to be a command that nobody judged."""

    def script(stream, sequence):
        while sequence is not None:
            stream.sendall(packet(b"\1more", sequence))
            sequence = read_packet(stream)[0]
            sequence = None if sequence is None else (sequence + 1) & 255

    front = own(upstream(server(script), family=socket.AF_UNIX, address=str(tmp_path / "s")).address)
    with Client(front, pki.orders) as client:
        client.send(response())
        for _ in range(32):
            sequence, payload = client.read()
            assert payload == b"\1more"
            client.send(packet(b"answer", sequence + 1))
        assert error(client.read()[1])[0] == 1105
    assert "after 64 packets" in front.wait_for("upstream-failed")[0]["error"]["message"]
