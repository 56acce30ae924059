"""What a gateway has to live through: loads that must be served, loads that do harm, and an operator."""

import hashlib
import json
import os
import random
import signal
import socket
import struct
import threading
import time

import psycopg

from .clients import connect, context, receive
from .postgres import conninfo
from .wait import wait_until

RESET = struct.pack("ii", 1, 0)


class Crew:
    """Threads that do one thing again and again until they are told to stop; what they have done, and what failed."""

    def __init__(self):
        self.over = threading.Event()
        self.done = {}
        self.failures = []
        self.threads = []
        self.lock = threading.Lock()

    def work(self, what, step, count=1, pause=0.0):
        """`step(generator)` is called until the end; an exception is a failure."""
        for number in range(count):
            arguments = (what, step, random.Random(f"{what} {number}"), pause)
            self.threads.append(threading.Thread(target=self._run, args=arguments, daemon=True))

    def _run(self, what, step, generator, pause):
        while not self.over.wait(pause):
            try:
                step(generator)
            except Exception as error:  # whatever it is, it is told
                with self.lock:
                    self.failures.append(f"{what}: {error!r}")
                return
            with self.lock:
                self.done[what] = self.done.get(what, 0) + 1

    def run(self, seconds):
        for each in self.threads:
            each.start()
        self.over.wait(seconds)
        self.over.set()
        for each in self.threads:
            each.join(60)
            assert not each.is_alive(), "a client waits for ever"


def tolerant(step):
    """What the other side does to whoever does harm is its own affair."""

    def tried(generator):
        try:
            step(generator)
        except (AssertionError, OSError, psycopg.Error):
            pass

    return tried


# MARK: loads that must be served


def command(stream, *words):
    """One command of Redis; the answer's bytes as they come for strings, or its line."""
    stream.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
    line = b""
    while not line.endswith(b"\r\n"):
        piece = stream.recv(1)
        assert piece, "the answer is cut"
        line += piece
    return receive(stream, int(line[1:]) + 2)[:-2] if line[:1] == b"$" else line[:-2]


def churn(front, identity):
    def step(generator):
        with connect(front, identity) as stream:
            for _ in range(generator.randint(0, 3)):
                assert command(stream, b"PING") == b"+PONG"

    return step


def transfer(front, identity):
    def step(generator):
        key, value = b"k%d" % generator.randint(0, 8), generator.randbytes(generator.randint(1, 1 << 20))
        with connect(front, identity) as stream:
            digest = hashlib.sha256(value).digest()
            key += digest[:4]
            assert command(stream, b"SET", key, value) == b"+OK"
            assert hashlib.sha256(command(stream, b"GET", key)).digest() == digest
            assert command(stream, b"DEL", key) == b":1"

    return step


def queries(front, identity):
    def step(generator):
        rows = generator.randint(1, 20_000)
        with psycopg.connect(conninfo(front, identity)) as connection:
            with connection.cursor().copy(f"COPY (SELECT generate_series(1, {rows})) TO STDOUT") as copy:
                received = b"".join(bytes(piece) for piece in copy)
            assert received == b"".join(b"%d\n" % number for number in range(1, rows + 1))

    return step


# MARK: loads that do harm


def vanish(front, identity):
    """Leaves in the middle of a transfer, by a reset or without a word."""

    def step(generator):
        stream = connect(front, identity)
        stream.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nv\r\n$9000000\r\n" + bytes(generator.randint(0, 1 << 18)))
        if generator.random() < 0.5:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        stream.close()

    return step


def half_open(front, identity):
    """Ends its sending side alone, or falls silent until it is idle."""

    def step(generator):
        with connect(front, identity, timeout=5) as stream:
            stream.sendall(b"PING\r\n")
            if generator.random() < 0.5:
                socket.socket.shutdown(stream, socket.SHUT_WR)
            while stream.recv(65536):
                pass

    return step


def hostile(front, identities):
    """Says what is no TLS, stops in the middle of it, or shows a certificate that is not wanted."""

    def step(generator):
        with socket.create_connection(front.address, timeout=5) as raw:
            kind = generator.randint(0, 4)
            if kind == 0:
                raw.sendall(generator.randbytes(generator.randint(0, 2000)))
            elif kind == 1:
                raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + generator.randbytes(200))
                time.sleep(generator.random() / 2)  # what a slow client is
            elif kind == 2:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                identity = generator.choice(identities)
                with context(front.pki, identity).wrap_socket(raw, server_hostname="localhost") as stream:
                    stream.recv(1)

    return step


def flood(front, count=20):
    def step(generator):
        made = [socket.create_connection(front.address, timeout=5) for _ in range(count)]
        for each in made:
            each.close()

    return step


class At:
    """A gateway, reached at another of its listeners."""

    def __init__(self, front, address):
        self.pki, self.address, self.port = front.pki, address, address[1]


# MARK: the operator


class Operator:
    """Changes the policy, hangs up, renames the log, and counts what is in it."""

    def __init__(self, front, policies):
        self.front = front
        self.policies = policies
        self.turns = 0
        self.actions = {}
        self.open = set()
        self.internal = []

    def turn(self, _):
        self._rewrite(self.policies[self.turns % len(self.policies)])
        self.front.signal(signal.SIGHUP)
        if self.turns % 4 == 3:
            self.rotate()
        self.turns += 1

    def _rewrite(self, policy):
        new = self.front.folder / "policy.new"
        new.write_text(json.dumps(policy))
        os.replace(new, self.front.folder / "policy.yaml")

    def rotate(self):
        """Lets the gateway begin a new file, and reads the old one."""
        old = self.front.folder / "audit.old"
        os.rename(self.front.log, old)
        self.front.signal(signal.SIGUSR1)
        wait_until(self.front.log.exists, what="a new log")
        for line in old.read_bytes().splitlines():
            self._count(json.loads(line))
        old.unlink()

    def _count(self, record):
        action, reason = record["event"]["action"], record["event"].get("reason")
        self.actions[action] = self.actions.get(action, 0) + 1
        if reason == "internal":
            self.internal.append(record)
        if action == "connection-allowed":
            self.open.add(record["countersign"]["connection"]["id"])
        elif action in ("connection-closed", "connection-revoked", "upstream-failed"):
            self.open.remove(record["countersign"]["connection"]["id"])
