"""What peers do who mean no good, or do not know better: their connection ends, the process does not."""

import socket
import ssl
import struct
import time

import pytest

from support.clients import connect, exchange, receive
from support.wait import wait_until

GARBAGE = {
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "postgres": struct.pack("!ii", 8, 80877103),
    "record of 0 bytes": b"\x16\x03\x01\x00\x00",
    "record of 65535 bytes": b"\x16\x03\x01\xff\xff" + bytes(100),
    "cut client hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
    "client hello of 16 MB": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(16379),
    "sslv2": b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + bytes(40),
    "alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "nothing": b"",
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_and_recorded(gateway, upstream, pki, data):
    back = upstream()
    front = gateway(back.address)
    with socket.create_connection(front.address, timeout=10) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        try:
            while peer.recv(65536):
                pass
        except ConnectionResetError:
            pass
    record = front.wait_for("handshake-failed")[0]
    assert record["event"]["reason"] in ("tls_protocol", "client_closed")
    assert record["source"]["ip"] == "127.0.0.1"
    assert exchange(front, pki.orders) == b"ping"
    assert back.accepted == 1


def test_silent_connections_do_not_keep_good_clients_out(gateway, upstream, pki):
    front = gateway(upstream().address)
    silent = [socket.create_connection(front.address) for _ in range(400)]
    begun = time.monotonic()
    for _ in range(20):
        assert exchange(front, pki.orders) == b"ping"
    # The silent ones go after handshake_timeout, 10 s: nobody waited for that.
    assert time.monotonic() - begun < 5
    for each in silent:
        each.close()
    front.wait_for("handshake-failed", count=400, reason="client_closed", timeout=20)


def test_a_client_that_never_reads_costs_little_memory(gateway, upstream, pki):
    def serve(connection):
        for _ in range(1000):
            connection.sendall(bytes(100_000))

    front = gateway(upstream(serve).address)
    assert front.memory() > 0
    before = front.memory()
    streams = [connect(front, pki.orders) for _ in range(10)]
    front.wait_for("connection-allowed", count=10)
    # Others go on meanwhile, and the kernel's buffers fill.
    wait_until(lambda: all(_readable(stream) for stream in streams), what="bytes for each client")
    assert front.memory() - before < 20 << 20
    for stream in streams:
        stream.close()


def _readable(stream):
    stream.settimeout(5)
    return len(stream.recv(1)) == 1


def test_a_client_that_dies_after_its_handshake_leaves_nothing(gateway, upstream, pki):
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    front.wait_for("connection-closed")
    before = front.descriptors()
    for _ in range(50):
        stream = connect(front, pki.orders)
        raw = socket.socket(fileno=stream.detach())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    wait_until(lambda: front.descriptors() == before, what="the descriptors to come back")
    assert exchange(front, pki.orders) == b"ping"


def test_a_client_that_does_not_read_stops_the_upstream(gateway, upstream, pki):
    """Nothing is kept but what sockets and one relay's buffers hold; and nothing is lost of it."""
    total, block = 100_000_000, bytes(100_000)
    sent = []

    def serve(connection):
        for _ in range(total // len(block)):
            connection.sendall(block)
            sent.append(time.monotonic())

    front = gateway(upstream(serve).address, limits={"idle_timeout": "60s"})
    before = front.memory()
    with connect(front, pki.orders) as stream:
        wait_until(lambda: sent and time.monotonic() - sent[-1] > 0.5, what="the upstream to be stopped")
        assert len(sent) * len(block) < total // 2
        assert front.memory() - before < 20 << 20
        # Others go on meanwhile.
        with connect(front, pki.orders) as other:
            assert len(receive(other, 1_000_000)) == 1_000_000
        assert len(receive(stream, total)) == total
        assert stream.recv(1) == b""
    assert front.memory() - before < 20 << 20


def hello():
    """A real ClientHello, without a socket."""
    outgoing = ssl.MemoryBIO()
    made = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        made.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("cut", [0, 1, 5, 100, None], ids=["nothing", "type", "header", "part", "whole"])
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_a_handshake_that_breaks_off_is_recorded(gateway, upstream, pki, cut, end):
    back = upstream()
    front = gateway(back.address)
    peer = socket.create_connection(front.address, timeout=10)
    peer.sendall(hello()[:cut])
    if cut is None:
        assert peer.recv(1) == b"\x16"  # the server's hello: the handshake is half done
    if end == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    record = front.wait_for("handshake-failed", reason="client_closed")[0]
    assert record["tls"]["established"] is False
    assert exchange(front, pki.orders) == b"ping"
    assert back.accepted == 1
    assert front.records("handshake-failed") == [record]


def test_a_client_that_dies_is_recorded_for_each_time(gateway, upstream, pki):
    front = gateway(upstream().address)
    for count in range(1, 21):
        stream = connect(front, pki.orders)
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"
        raw = socket.socket(fileno=stream.detach())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
        front.wait_for("connection-closed", count=count, reason="client_reset")
    assert exchange(front, pki.orders) == b"ping"
