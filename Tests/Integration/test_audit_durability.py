"""What a log survives: kills at any moment, restarts, rotation under load; and that synced is synced."""

import hashlib
import os
import random
import re
import signal
import threading

import pytest

from support.chain import FIRST, verify, verify_torn
from support.clients import connect, exchange, receive
from support.wait import wait_until

KEY = os.urandom(40)


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "audit.key"
    file.write_bytes(KEY)
    file.chmod(0o600)
    return str(file)


class Load:
    """Clients that come and go until they are stopped."""

    def __init__(self, front, identity, threads=4):
        self.done, self.failed = 0, 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(front, identity)) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self, front, identity):
        while not self.stopped.is_set():
            try:
                good = exchange(front, identity) == b"ping"
            except OSError:
                good = False
            with self.lock:
                self.done += good
                self.failed += not good

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


KILLS = 15


@pytest.mark.parametrize("chain", ["hash", "key", "synced with a key"])
def test_a_kill_at_any_moment_leaves_a_log_that_verifies(gateway, upstream, pki, key, chain):
    audit = {"hash": {}, "key": {"key": key}, "synced with a key": {"key": key, "durability": "synced"}}[chain]
    secret = KEY if "key" in audit else None
    front = gateway(upstream().address, start=False, audit=audit)
    torn_by_hand = 0
    for turn in range(KILLS):
        size = front.log.stat().st_size if front.log.exists() else 0
        front.start(wait=False)
        # Every moment from the first record on, those of the start too.
        goal = size + random.choice([1, 1500, 3000, 20_000, 100_000])
        load = Load(front, pki.orders)
        wait_until(lambda: (front.log.stat().st_size if front.log.exists() else 0) >= goal, what="records")
        front.kill()
        load.stop()
        data = front.log.read_bytes()
        _, torn = verify_torn(data, secret)
        assert torn <= turn + 1
        if turn % 3 == 0:
            # A power cut: the last line has only come in part to the disk.
            last = data.splitlines(keepends=True)[-1]
            os.truncate(front.log, len(data) - random.randrange(1, len(last)))
            torn_by_hand += 1
    front.start(wait=False)
    wait_until(lambda: front.log.read_bytes().count(b'"action":"gateway-started"') > 0 and answers(front, pki),
               what="the last start")
    front.stop()
    records, torn = verify_torn(front.log.read_bytes(), secret)
    gaps = [record for record in records if record["event"]["action"] == "audit-gap"]
    # A cut that takes the end of line alone leaves a whole record.
    assert torn <= len(gaps) and torn >= torn_by_hand - 2 and len(gaps) >= torn_by_hand - 2
    assert len({record["countersign"]["integrity"]["chain_uid"] for record in records}) == 1


def answers(front, pki):
    try:
        return exchange(front, pki.orders) == b"ping"
    except OSError:
        return False


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_rotation_under_load_loses_nothing(gateway, upstream, pki, durability):
    front = gateway(upstream().address, audit={"durability": durability})
    load = Load(front, pki.orders)
    rotated = []
    for turn in range(8):
        seen = load.done
        wait_until(lambda: load.done >= seen + 5, what="traffic")
        old = front.log.with_suffix(f".{turn}")
        front.log.rename(old)
        front.signal(signal.SIGUSR1)
        wait_until(front.log.exists, what="the new file")
        rotated.append(old)
    load.stop()
    front.stop()
    last, sequence = FIRST, 1
    for file in [*rotated, front.log]:
        last, sequence = verify(file.read_bytes().splitlines(keepends=True), last, sequence)
    assert load.failed == 0
    whole = b"".join(file.read_bytes() for file in [*rotated, front.log])
    assert whole.count(b'"action":"connection-allowed"') == load.done
    assert whole.count(b'"action":"connection-closed"') == load.done
    assert b'"action":"audit-gap"' not in whole


def test_a_keyed_chain_needs_its_key(gateway, upstream, pki, key):
    front = gateway(upstream().address, audit={"key": key})
    exchange(front, pki.orders)
    front.stop()
    front.start()
    exchange(front, pki.orders)
    front.stop()
    verify(front.lines(), key=KEY)
    for wrong in (None, b"another key of thirty-two bytes!!"):
        with pytest.raises(AssertionError):
            verify(front.lines(), key=wrong)
    # The hash of a key that is longer than a block is as good as the key (RFC 2104): it stands nowhere.
    written = front.log.read_bytes() + front.stderr().encode()
    for secret in (KEY, KEY.hex().encode(), hashlib.sha256(KEY).hexdigest().encode()):
        assert secret not in written
    files = front.records("configuration-loaded")[0]["countersign"]["configuration"]["files"]
    assert {"path": key} in files


def test_another_key_does_not_go_on_with_the_chain(gateway, upstream, pki, key):
    front = gateway(upstream().address, audit={"key": key})
    exchange(front, pki.orders)
    front.stop()
    before = front.log.read_bytes()
    with open(key, "wb") as file:
        file.write(os.urandom(32))
    front.start(wait=False)
    assert front.process.wait(20) == 2
    assert "another audit.key has sealed it" in front.stderr()
    assert front.log.read_bytes() == before
    front.log.rename(front.log.with_suffix(".1"))
    front.start()
    exchange(front, pki.orders)


def trace(front, port):
    """What the gateway did, in its order: `write`s that hold a verdict, `sync`s that are over, `dial`s."""
    events = []
    for line in (front.folder / "trace").read_text(errors="replace").splitlines():
        if re.search(r"\bwrite\(", line) and "connection-allowed" in line:
            events.append("write")
        elif re.search(r"fdatasync(\(| resumed)", line) and line.endswith("= 0"):
            events.append("sync")
        elif re.search(r"\bconnect\(", line) and f"htons({port})" in line:
            events.append("dial")
    return events


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_the_disk_has_the_record_before_the_dial(gateway, upstream, pki, tmp_path, durability):
    """As the kernel saw it."""
    back = upstream()
    (tmp_path / "gateway").mkdir()
    strace = ["strace", "-D", "-f", "-qq", "-s", "1000000", "-o", tmp_path / "gateway" / "trace",
              "-e", "trace=write,fdatasync,connect"]
    front = gateway(back.address, audit={"durability": durability}, wrapper=strace)
    for count in range(1, 11):
        with connect(front, pki.orders) as stream:
            stream.sendall(b"ping")
            assert receive(stream, 4) == b"ping"
        front.wait_for("connection-closed", count=count)
    front.stop()
    events = wait_until(
        lambda: (found := trace(front, back.socket.getsockname()[1])).count("dial") == 10 and found,
        what="the trace of ten dials")
    if durability == "written":
        assert events == ["write", "dial"] * 10
        return
    for _ in range(10):
        events = events[events.index("write"):]
        assert events[:3] == ["write", "sync", "dial"]
        events = events[3:]


def test_a_pipe_cannot_be_synced(gateway, upstream, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    front = gateway(upstream().address, start=False, audit={"path": str(fifo), "durability": "synced"})
    front.start(wait=False)
    assert front.process.wait(20) == 2
    assert "it is no regular file" in front.stderr()
    os.close(reader)
