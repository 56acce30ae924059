"""Hostile chains beside good traffic: nobody waits for them, nothing grows by them, and each is recorded as what it is."""

import collections
import pathlib
import socket
import statistics
import subprocess
import sys
import time

from support import hostile_chains
from support.clients import context, receive
from support.wait import wait_until

PROCESSES, ROUNDS, SILENT = 2, 4, 100


def flood(front, folder):
    """Clients in processes of their own, so that they share no interpreter with the one whose time is taken."""
    return [
        subprocess.Popen(
            [sys.executable, "-m", "support.hostile_chains", str(front.port), str(folder), str(ROUNDS)],
            cwd=pathlib.Path(__file__).parent) for _ in range(PROCESSES)
    ]


def ask(front, made):
    """How long a good client waits, from its first packet to its answer."""
    begun = time.monotonic()
    with socket.create_connection(front.address, timeout=10) as raw:
        with made.wrap_socket(raw, server_hostname="localhost") as stream:
            stream.sendall(b"ping")
            assert receive(stream, 4) == b"ping"
    return time.monotonic() - begun


def test_hostile_chains_beside_good_traffic(gateway, upstream, pki, tmp_path):
    folder = tmp_path / "chains"
    hostile_chains.write(folder, pki)
    # One worker: whatever holds it up holds everybody up.
    front = gateway(upstream().address, workers=1, limits={"handshake_timeout": "60s"})
    made = context(pki, pki.orders)
    quiet = statistics.median(ask(front, made) for _ in range(30))

    memory = []
    for _ in range(2):
        hello = hostile_chains.hello(folder)
        silent = [socket.create_connection(front.address) for _ in range(SILENT)]
        for each in silent:
            each.sendall(hello)
        clients, waits = flood(front, folder), []
        while any(client.poll() is None for client in clients):
            waits.append(ask(front, made))
        assert [client.returncode for client in clients] == [0] * PROCESSES
        for each in silent:
            each.close()
        assert len(waits) > 10
        assert statistics.median(waits) < 10 * quiet + 0.05, (quiet, sorted(waits))
        assert max(waits) < 2, sorted(waits)
        memory.append(front.memory())
    assert memory[1] - memory[0] < 2 << 20

    expected = collections.Counter()
    for kind, reason in hostile_chains.REASONS.items():
        expected[reason] += 2 * PROCESSES * ROUNDS
    expected["client_closed"] += 2 * SILENT

    def reasons():
        return collections.Counter(record["event"]["reason"] for record in front.records("handshake-failed"))

    wait_until(lambda: reasons().total() >= expected.total(), timeout=10, what="a record of each")
    assert reasons() == expected
    assert ask(front, made) < 2
