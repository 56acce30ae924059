"""What peers send to a MySQL listener who mean no good, or do not know better."""

import socket
import ssl

import pytest

from support.clients import context
from support.mariadb import MYSQL, OWN_ACCOUNT, cli
from support.mysql_wire import (
    CAPABILITIES, PROTOCOL_41, TLS, Client, error, fixed_part, packet, read_packet, response)

HELLOS = {
    "http": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 1043),
    "tls at once": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600), 1043),
    "length 0": (packet(b"", 1), 1043),
    "length 2^24 - 1": (b"\xff\xff\xff\1" + bytes(64), 1043),
    "another sequence": (packet(fixed_part(), 0), 1043),
    "too short": (packet(b"\1", 1), 1043),
    "a request that goes on": (packet(fixed_part() + b"x", 1), 1043),
    "before 4.1": (packet(fixed_part(CAPABILITIES & ~PROTOCOL_41), 1), 1043),
    "a response without TLS": (response(capabilities=CAPABILITIES & ~TLS, sequence=1), 3159),
}


def plain(front):
    peer = socket.create_connection(front.address, timeout=20)
    assert read_packet(peer)[1][:1] == b"\n"
    return peer


@pytest.mark.parametrize("data, code", HELLOS.values(), ids=HELLOS.keys())
def test_a_hello_that_is_none_gets_an_error_and_a_record(mysql_front, pki, data, code):
    with plain(mysql_front) as peer:
        peer.sendall(data)
        sequence, payload = read_packet(peer)
        assert (sequence, error(payload)[0]) == (2, code)
        assert peer.recv(1) == b""
    mysql_front.wait_for("handshake-failed", reason="negotiation")
    assert cli(mysql_front, pki.orders).returncode == 0


def test_a_proxy_header_of_a_stranger_is_called_so(mysql_front):
    with plain(mysql_front) as peer:
        peer.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
        assert peer.recv(1) == b""
    mysql_front.wait_for("handshake-failed", reason="proxy_header")


def test_plaintext_behind_the_request_for_tls_is_nothing_but_tls(mysql_front, pki):
    with plain(mysql_front) as peer:
        peer.sendall(packet(fixed_part(), 1) + response())
        try:
            answer = peer.recv(65536)
        except ConnectionResetError:
            answer = b""
        # An alert of TLS, or the end: never a packet of MySQL.
        assert answer[:1] in (b"", b"\x15")
    mysql_front.wait_for("handshake-failed", reason="tls_protocol")
    assert mysql_front.records("connection-allowed") == []


def test_the_client_hello_may_come_with_the_request(mysql_front, pki):
    """The request has no answer, so clients do not wait for one."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context(pki, pki.orders).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    with plain(mysql_front) as peer:
        peer.sendall(packet(fixed_part(), 1) + outgoing.read())
        while True:
            incoming.write(peer.recv(65536))
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                peer.sendall(outgoing.read())
        session.write(response())
        peer.sendall(outgoing.read())
        mysql_front.wait_for("connection-allowed")


def test_a_response_cut_at_every_byte(mysql_front, pki):
    whole = response()
    for length in range(len(whole)):
        with Client(mysql_front, pki.orders) as client:
            client.send(whole[:length])
            client.socket = client.stream.unwrap()
    records = mysql_front.wait_for("handshake-failed", count=len(whole))
    assert {record["event"]["reason"] for record in records} == {"client_closed"}
    assert mysql_front.records("connection-allowed") == []


def test_a_hello_cut_at_every_byte(mysql_front, pki):
    whole = packet(fixed_part(), 1)
    for length in range(len(whole)):
        with plain(mysql_front) as peer:
            peer.sendall(whole[:length])
    mysql_front.wait_for("handshake-failed", count=len(whole), reason="client_closed")


RESPONSES = {
    "length 0": packet(b"", 2),
    "length 2^24 - 1": b"\xff\xff\xff\2" + bytes(64),
    "another sequence": response(sequence=1),
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "a NUL in the proof's length": packet(fixed_part() + b"orders_rw\0" + b"\xff" + bytes(10), 2),
    "a name in quotes": response("'orders_rw'"),
    "a control character": response("orders_rw\x01"),
    "an old name of a database": response(database="#mysql50#orders"),
    "a name of 81 characters": response("x" * 81),
}


@pytest.mark.parametrize("data", RESPONSES.values(), ids=RESPONSES.keys())
def test_a_response_that_is_none(mysql_front, pki, data):
    with Client(mysql_front, pki.orders) as client:
        client.send(data)
        sequence, payload = client.read()
        assert (sequence, error(payload)[0]) == (3, 1043)
        assert client.is_over()
    mysql_front.wait_for("handshake-failed", reason="negotiation")
    assert mysql_front.records("connection-allowed") == []


@pytest.mark.parametrize("stage", ["hello", "response"])
def test_one_deadline_over_everything_before_the_verdict(gateway, mariadb, pki, stage):
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, limits={"handshake_timeout": "1s"})
    if stage == "hello":
        peer, data = plain(front), packet(fixed_part(), 1)
    else:
        peer, data = Client(front, pki.orders).stream, response()
    with peer:
        peer.settimeout(0.1)
        try:
            for byte in data:
                peer.sendall(bytes([byte]))
                try:
                    if peer.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
            else:
                raise AssertionError("the deadline was put off")
        except (ConnectionError, ssl.SSLError):
            pass
    front.wait_for("handshake-failed", reason="timeout")
