"""Much data, and little at a time."""

import hashlib
import threading

from support.clients import connect, receive

GIGABYTE = 1 << 30
BLOCK = bytes(range(256)) * 1024


def hashing(digests):
    """An upstream that hashes what comes, and says nothing."""

    def serve(connection):
        digest = hashlib.sha256()
        while data := connection.recv(1 << 20):
            digest.update(data)
        digests.append(digest.hexdigest())

    return serve


def expected():
    digest = hashlib.sha256()
    for _ in range(GIGABYTE // len(BLOCK)):
        digest.update(BLOCK)
    return digest.hexdigest()


def test_a_gigabyte_goes_up_and_the_memory_stays(gateway, upstream, pki):
    digests = []
    front = gateway(upstream(hashing(digests)).address)
    before = front.memory()
    with connect(front, pki.orders) as stream:
        for _ in range(GIGABYTE // len(BLOCK)):
            stream.sendall(BLOCK)
        assert front.memory() - before < 30 << 20
        stream.unwrap()
    assert front.wait_for("connection-closed")[0]["source"]["bytes"] == GIGABYTE
    assert digests == [expected()]


def test_a_gigabyte_comes_down_and_the_memory_stays(gateway, upstream, pki):
    def serve(connection):
        for _ in range(GIGABYTE // len(BLOCK)):
            connection.sendall(BLOCK)

    front = gateway(upstream(serve).address)
    before = front.memory()
    digest = hashlib.sha256()
    with connect(front, pki.orders) as stream:
        while data := stream.recv(1 << 20):
            digest.update(data)
        assert front.memory() - before < 30 << 20
    assert digest.hexdigest() == expected()
    assert front.wait_for("connection-closed")[0]["destination"]["bytes"] == GIGABYTE


def test_single_bytes_arrive_in_order_both_ways(gateway, upstream, pki):
    front = gateway(upstream().address)
    data = bytes(index % 251 for index in range(3000))
    with connect(front, pki.orders) as stream:
        writer = threading.Thread(target=lambda: [stream.send(data[i : i + 1]) for i in range(len(data))])
        writer.start()
        assert receive(stream, len(data)) == data
        writer.join()
