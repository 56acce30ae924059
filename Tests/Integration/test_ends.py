"""How connections end: halves, resets, and what the log says of them."""

import os
import pathlib
import socket
import ssl
import struct
import threading

import pytest

from support.clients import connect, receive
from support.wait import wait_until


def reset(connection):
    """Closes so that the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_client_that_ends_still_gets_its_answer(gateway, upstream, pki):
    """close_notify goes through memory here, since Python's own unwrap() waits for the other side's."""

    def serve(connection):
        received = b""
        while data := connection.recv(65536):
            received += data
        connection.sendall(received * 100_000)

    front = gateway(upstream(serve).address)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(pki.ca.certificate)
    made.load_cert_chain(pki.orders.certificate, pki.orders.key)
    session = made.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(front.address, timeout=20) as raw:

        def step(call):
            while True:
                try:
                    result = call()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    data = raw.recv(65536)
                    incoming.write(data) if data else incoming.write_eof()
                else:
                    raw.sendall(outgoing.read())
                    return result

        step(session.do_handshake)
        step(lambda: session.write(b"abc"))
        with pytest.raises(ssl.SSLWantReadError):
            session.unwrap()  # close_notify is out; the answer to it is not there yet
        raw.sendall(outgoing.read())
        raw.shutdown(socket.SHUT_WR)
        received = 0
        while data := raw.recv(65536):
            received += len(data)
    assert received > 300_000
    record = front.wait_for("connection-closed", reason="client_closed")[0]
    assert (record["source"]["bytes"], record["destination"]["bytes"]) == (3, 300_000)
    assert "truncated" not in record["countersign"] or not record["countersign"]["truncated"]


def test_an_upstream_that_ends_still_hears_the_client(gateway, upstream, pki):
    heard = []

    def serve(connection):
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
        heard.append(received)

    front = gateway(upstream(serve).address)
    stream = connect(front, pki.orders)
    assert receive(stream, 3) == b"bye"
    assert stream.recv(1) == b""  # close_notify: without it this raises
    stream.sendall(b"x" * 100_000)
    stream.close()
    wait_until(lambda: heard == [b"x" * 100_000], what="the client's bytes at the upstream")
    front.wait_for("connection-closed", reason="upstream_closed")


def test_a_client_that_drops_tcp_is_told_apart(gateway, upstream, pki):
    front = gateway(upstream().address)
    stream = connect(front, pki.orders)
    stream.sendall(b"abc")
    assert receive(stream, 3) == b"abc"
    stream.shutdown(socket.SHUT_RDWR)
    stream.close()
    record = front.wait_for("connection-closed", reason="client_closed")[0]
    assert record["countersign"]["truncated"] is True
    assert record["source"]["bytes"] == 3


def test_a_reset_of_the_upstream_reaches_the_client(gateway, upstream, pki):
    def serve(connection):
        connection.recv(1)
        reset(connection)

    front = gateway(upstream(serve).address)
    stream = connect(front, pki.orders)
    stream.sendall(b"x")
    # Python's TLS calls a reset an unexpected end; the socket itself knows better.
    with socket.socket(fileno=stream.detach()) as raw, pytest.raises(ConnectionResetError):
        raw.settimeout(10)
        raw.recv(1)
    front.wait_for("connection-closed", reason="upstream_reset")


def test_an_upstream_that_dies_in_the_middle_is_no_clean_end(gateway, upstream, pki):
    def serve(connection):
        connection.recv(1)
        connection.sendall(b"x" * 1_000_000)
        reset(connection)

    front = gateway(upstream(serve).address)
    stream = connect(front, pki.orders)
    stream.sendall(b"x")
    with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
        while stream.recv(65536):
            pass
        raise AssertionError("the stream ended as if it were complete")
    front.wait_for("connection-closed", reason="upstream_reset")


def test_a_reset_of_the_client_reaches_the_upstream(gateway, upstream, pki):
    seen = []
    arrived = threading.Event()

    def serve(connection):
        connection.recv(1)
        arrived.set()
        try:
            seen.append(connection.recv(1))
        except ConnectionResetError:
            seen.append("reset")

    front = gateway(upstream(serve).address)
    stream = connect(front, pki.orders)
    stream.sendall(b"x")
    assert arrived.wait(10)
    raw = socket.socket(fileno=stream.detach())
    reset(raw)
    wait_until(lambda: seen == ["reset"], what="the reset at the upstream")
    front.wait_for("connection-closed", reason="client_reset")


def counting(total, answer):
    """An upstream that reads to the end, notes how much came, and answers with `answer` bytes."""

    def serve(connection):
        count = 0
        while data := connection.recv(65536):
            count += len(data)
        total.append(count)
        connection.sendall(bytes(answer))

    return serve


@pytest.mark.parametrize("sent, answered", [(0, 0), (0, 1), (1, 0), (16_383, 16_385), (1_234_567, 7_654_321)])
def test_the_record_counts_every_byte_of_both_ways(gateway, upstream, pki, sent, answered):
    """A bare FIN of TCP is what a half-close without close_notify looks like: all that came before it arrives."""
    total = []
    front = gateway(upstream(counting(total, answered)).address)
    with connect(front, pki.orders) as stream:
        stream.sendall(bytes(sent))
        # The raw descriptor: shutdown() of Python's TLS socket forgets the session.
        with socket.socket(fileno=socket.dup(stream.fileno())) as raw:
            raw.shutdown(socket.SHUT_WR)
        assert len(receive(stream, answered)) == answered
        assert stream.recv(1) == b""  # close_notify: without it this raises
    record = front.wait_for("connection-closed", reason="client_closed")[0]
    assert total == [sent]
    assert (record["source"]["bytes"], record["destination"]["bytes"]) == (sent, answered)
    assert record["countersign"]["truncated"] is True


def test_a_whole_end_is_not_called_truncated(gateway, upstream, pki):
    front = gateway(upstream().address)
    with connect(front, pki.orders) as stream:
        stream.sendall(b"abc")
        assert receive(stream, 3) == b"abc"
        stream.unwrap()  # sends close_notify, and waits for the gateway's
    record = front.wait_for("connection-closed", reason="client_closed")[0]
    assert not record["countersign"].get("truncated", False)
    assert (record["source"]["bytes"], record["destination"]["bytes"]) == (3, 3)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls12", "tls13"])
def test_close_notify_comes_before_fin(gateway, upstream, pki, version):
    def serve(connection):
        connection.sendall(b"x" * 300_000)

    front = gateway(upstream(serve).address)
    with connect(front, pki.orders, minimum=version, maximum=version) as stream:
        assert len(receive(stream, 300_000)) == 300_000
        assert stream.recv(1) == b""
    with connect(front, pki.billing, minimum=version, maximum=version) as stream:
        assert stream.recv(1) == b"", "who is refused by policy gets it too"
    front.wait_for("connection-denied", reason="default")


def sockets(front):
    """How many sockets the process has, those that listen included."""
    links = pathlib.Path(f"/proc/{front.pid}/fd").iterdir()
    return sum(os.readlink(link).startswith("socket:") for link in links)


def test_a_client_that_resets_after_its_end_is_let_go_at_once(gateway, upstream, pki):
    ended = threading.Event()

    def serve(connection):
        assert connection.recv(1) == b""
        ended.set()
        while True:
            connection.sendall(bytes(100_000))

    front = gateway(upstream(serve).address)
    before = sockets(front)
    stream = connect(front, pki.orders)
    with socket.socket(fileno=socket.dup(stream.fileno())) as raw:
        raw.shutdown(socket.SHUT_WR)
    assert ended.wait(10)
    assert len(receive(stream, 100_000)) == 100_000
    reset(socket.socket(fileno=stream.detach()))
    front.wait_for("connection-closed", reason="client_closed")
    wait_until(lambda: sockets(front) == before, timeout=1, what="the sockets to be closed")
