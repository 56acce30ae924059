"""Much data, and little at a time."""

import hashlib
import pathlib
import select
import socket
import ssl
import threading

from support.clients import connect, receive

GIGABYTE = 1 << 30
BLOCK = bytes(range(256)) * 1024


def hashing(digests, size=None):
    """An upstream that hashes what comes, `size` bytes or all, and says nothing."""

    def serve(connection):
        digest, count = hashlib.sha256(), 0
        while count != size and (data := connection.recv(1 << 20)):
            digest.update(data)
            count += len(data)
        digests.append(digest.hexdigest())

    return serve


def expected(size=GIGABYTE):
    digest = hashlib.sha256()
    for _ in range(size // len(BLOCK)):
        digest.update(BLOCK)
    return digest.hexdigest()


class Peak:
    """The growth of the gateway's peak of resident bytes, which the kernel keeps, since this was made."""

    def __init__(self, gateway):
        self.status = pathlib.Path(f"/proc/{gateway.pid}/status")
        self.before = self.now()

    def now(self):
        line = next(line for line in self.status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def growth(self):
        return self.now() - self.before


def test_a_gigabyte_goes_up_and_the_memory_stays(gateway, upstream, pki):
    digests = []
    front = gateway(upstream(hashing(digests)).address)
    peak = Peak(front)
    with connect(front, pki.orders) as stream:
        for _ in range(GIGABYTE // len(BLOCK)):
            stream.sendall(BLOCK)
        assert peak.growth() < 30 << 20
        stream.unwrap()
    assert front.wait_for("connection-closed")[0]["source"]["bytes"] == GIGABYTE
    assert digests == [expected()]


def test_a_gigabyte_comes_down_and_the_memory_stays(gateway, upstream, pki):
    def serve(connection):
        for _ in range(GIGABYTE // len(BLOCK)):
            connection.sendall(BLOCK)

    front = gateway(upstream(serve).address)
    peak = Peak(front)
    digest = hashlib.sha256()
    with connect(front, pki.orders) as stream:
        while data := stream.recv(1 << 20):
            digest.update(data)
        assert peak.growth() < 30 << 20
    assert digest.hexdigest() == expected()
    assert front.wait_for("connection-closed")[0]["destination"]["bytes"] == GIGABYTE


def duplex(stream, size):
    """Sends `size` bytes of blocks while it reads as many; returns the hash of what came.

    On one thread: Python's TLS sockets do not bear two.
    """
    stream.setblocking(False)
    waits = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
    digest, received, sent, rest = hashlib.sha256(), 0, 0, memoryview(BLOCK)
    while received < size or sent < size:
        moved = False
        if sent < size:
            try:
                count = stream.send(rest)
                sent, rest, moved = sent + count, rest[count:] or memoryview(BLOCK), True
            except waits:
                pass
        if received < size:
            try:
                piece = stream.recv(1 << 18)
                assert piece, f"the stream ended after {received} bytes"
                digest.update(piece)
                received, moved = received + len(piece), True
            except waits:
                pass
        if not moved:
            ready = select.select([stream], [stream] if sent < size else [], [], 20)
            assert any(ready), f"nothing moved for 20 s ({sent} bytes sent, {received} received)"
    return digest.hexdigest()


def test_both_directions_run_at_once(gateway, upstream, pki):
    digests, size = [], GIGABYTE // 4

    def serve(connection):
        reader = threading.Thread(target=hashing(digests, size), args=(connection,))
        reader.start()
        for _ in range(size // len(BLOCK)):
            connection.sendall(BLOCK)
        reader.join()

    front = gateway(upstream(serve).address)
    peak = Peak(front)
    with connect(front, pki.orders) as stream:
        assert duplex(stream, size) == expected(size)
    record = front.wait_for("connection-closed")[0]
    assert peak.growth() < 30 << 20
    assert (record["source"]["bytes"], record["destination"]["bytes"]) == (size, size)
    assert digests == [expected(size)]


def test_single_bytes_arrive_in_order_both_ways(gateway, upstream, pki):
    def serve(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while byte := connection.recv(1):
            connection.sendall(byte)

    front = gateway(upstream(serve).address)
    data, ahead, received = bytes(index % 251 for index in range(3000)), 100, b""
    with connect(front, pki.orders) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(len(data)):
            assert stream.send(data[index : index + 1]) == 1
            if index >= ahead:
                received += stream.recv(1)
        assert received + receive(stream, ahead) == data
