"""`audit tail` and `audit verify`, on logs that real connections made."""

import json
import os
import re
import signal
import subprocess

import pytest

from support.clients import exchange
from support.commands import report, run
from support.gateway import BINARY
from support.wait import wait_until


@pytest.fixture
def front(gateway, upstream, pki):
    return gateway(upstream().address)


def connect(front, pki, count=1):
    before = len(front.records("connection-closed"))
    for _ in range(count):
        assert exchange(front, pki.orders) == b"ping"
    front.wait_for("connection-closed", before + count)


@pytest.fixture
def rotated(front, pki):
    """Three files of one chain, the oldest first."""
    files = []
    for number in (2, 1):
        connect(front, pki, 2)
        old = front.log.with_suffix(f".{number}")
        front.log.rename(old)
        front.signal(signal.SIGUSR1)
        wait_until(front.log.exists, what="the new file")
        files.append(old)
    connect(front, pki, 2)
    front.stop()
    return files + [front.log]


def test_rotated_files_in_any_order(rotated):
    old, middle, new = rotated
    found = report("audit", "verify", new, old, middle)
    assert [one["file"] for one in found["files"]] == [str(path) for path in rotated]
    assert found["cases"] == [] and found["counts"]["findings"] == 0
    total = sum(path.read_bytes().count(b"\n") for path in rotated)
    assert found["counts"]["records"] == total == found["ends"][0]["sequence"]
    text = run("audit", "verify", *rotated)
    assert text.returncode == 0 and f"ok: {total} records are as they were written" in text.stdout
    assert found["ends"][0]["fingerprint"] in text.stdout
    assert run("audit", "verify", "-", stdin=old.read_text()).returncode == 0


def tampering():
    def change(lines):
        lines[2] = lines[2].replace(b"orders", b"0rders", 1)
        return "changed", 3

    def remove(lines):
        del lines[2]
        return "removed", 3

    def insert(lines):
        lines.insert(2, b'{"event":{"action":"connection-allowed"}}\n')
        return "inserted", 3

    def repeat(lines):
        lines.insert(3, lines[1])
        return "repeated", 4

    def reorder(lines):
        lines[1], lines[2] = lines[2], lines[1]
        return "reordered", 2

    def cut(lines):
        lines[-1] = lines[-1][:50] + b"\n"
        return "unreadable", len(lines)

    return [change, remove, insert, repeat, reorder, cut]


@pytest.mark.parametrize("tamper", tampering(), ids=lambda one: one.__name__)
def test_the_first_bad_line_is_named(rotated, tamper):
    old = rotated[0]
    lines = old.read_bytes().splitlines(keepends=True)
    problem, line = tamper(lines)
    old.write_bytes(b"".join(lines))
    found = report("audit", "verify", old, expected=1)
    assert (found["cases"][0]["problem"], found["cases"][0]["line"]) == (problem, line), found["cases"]
    assert f"{old}:{line}: {problem}: " in run("audit", "verify", old).stdout


def test_a_cut_off_end_is_found_by_its_fingerprint(rotated):
    new = rotated[-1]
    last = report("audit", "verify", *rotated)["ends"][0]["fingerprint"]
    assert run("audit", "verify", *rotated, "--expect-last", last).returncode == 0
    lines = new.read_bytes().splitlines(keepends=True)
    new.write_bytes(b"".join(lines[:-1]))
    assert run("audit", "verify", *rotated).returncode == 0
    found = report("audit", "verify", *rotated, "--expect-last", last, expected=1)
    assert found["cases"][0]["problem"] == "truncated"


def test_what_is_not_sealed_is_told_so(rotated, tmp_path):
    old = rotated[0]
    plain = b'{"event":{"action":"gateway-started"}}\n' * 2
    mixed = tmp_path / "mixed.log"
    mixed.write_bytes(plain + old.read_bytes())
    found = report("audit", "verify", mixed, expected=1)
    assert [(one["problem"], one["line"], one["message"]) for one in found["cases"]] == [
        ("unsealed_start", 1, "2 lines before the chain are not sealed")]
    mixed.write_bytes(plain)
    done = run("audit", "verify", mixed)
    assert done.returncode == 1 and f"{mixed}:1: unsealed: no line is sealed" in done.stdout


def test_an_empty_log_is_nothing_to_check(rotated, tmp_path):
    empty = tmp_path / "empty.log"
    empty.write_text("")
    done = run("audit", "verify", empty)
    assert done.returncode == 0 and "nothing to check: there is no record" in done.stdout and "ok:" not in done.stdout
    assert report("audit", "verify", empty)["counts"]["records"] == 0
    last = report("audit", "verify", *rotated)["ends"][0]["fingerprint"]
    assert report("audit", "verify", empty, "--expect-last", last, expected=1)["cases"][0]["problem"] == "truncated"


def test_another_key_and_missing_files(rotated, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    done = run("audit", "verify", rotated[0], "--key", key)
    assert done.returncode == 1 and "another key" in done.stdout
    assert run("audit", "verify", rotated[0], "--key", tmp_path / "none").returncode == 2
    assert run("audit", "verify", tmp_path / "none").returncode == 2
    for words in ([tmp_path / "none"], [rotated[0], "--key", tmp_path / "none"]):
        done = run("audit", "verify", *words, "--format", "json")
        assert done.returncode == 2 and done.stderr == ""
        assert f"cannot read {tmp_path / 'none'}: open: No such file" in json.loads(done.stdout)["error"]
    assert run("audit", "verify", rotated[0], rotated[2]).returncode == 1


def test_tail_shows_the_last_records_that_match(rotated):
    old = rotated[0]
    count = old.read_bytes().count(b"\n")
    assert run("audit", "tail", old, "-n", "2").stdout.count("\n") == 2
    assert run("audit", "tail", old, "-n", "all").stdout.count("\n") == count
    allowed = run("audit", "tail", old, "--verdict", "allow", "--action", "connection-allowed", "--caller", "worker/*",
                  "--rule", "orders-*", "--listener", "front", "--since", "1h").stdout
    assert allowed.count("ALLOW") == allowed.count("\n") == 2
    assert re.search(r"ALLOW +worker/orders  rule orders-may-connect  127\.0\.0\.1:\d+ → front\n", allowed)
    assert run("audit", "tail", old, "--caller", "nobody").stdout == ""
    assert run("audit", "tail", old, "--until", "2020-01-01T00:00:00Z").stdout == ""
    assert run("audit", "tail", "-", stdin=old.read_text()).stdout.count("\n") == min(10, count)


def test_colour_on_a_terminal_and_where_it_is_asked_for(rotated):
    assert "\x1b[32m" not in run("audit", "tail", rotated[0]).stdout
    assert "\x1b[32m" in run("audit", "tail", rotated[0], "--color", "always").stdout
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        master, slave = os.openpty()
        process = subprocess.Popen(
            [BINARY, "audit", "tail", str(rotated[0])], stdout=slave,
            env={**os.environ, "TERM": "xterm", **environment})
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:
            pass  # EIO: the other side has closed (pty(7))
        os.close(master)
        assert process.wait(30) == 0
        assert b"ALLOW" in shown and (b"\x1b[32m" in shown) == coloured


class Tail:
    """`audit tail --follow` with its output in a file."""

    def __init__(self, folder, *words):
        self.path = folder / "tail.out"
        self.output = open(self.path, "wb")
        self.process = subprocess.Popen(
            [BINARY, "audit", "tail", "--follow", *map(str, words)], stdout=self.output, stderr=subprocess.PIPE)

    def wait_for(self, text, count):
        wait_until(lambda: self.path.read_text().count(text) >= count, what=f"{count} {text}: {self.path.read_text()}")
        assert self.path.read_text().count(text) == count

    def end(self):
        self.process.kill()
        self.process.wait(10)
        self.output.close()


def test_follow_across_rotation(front, pki, tmp_path):
    tail = Tail(tmp_path, front.log, "-n", "all")
    try:
        connect(front, pki, 2)
        tail.wait_for("ALLOW", 2)
        front.log.rename(front.log.with_suffix(".1"))
        assert exchange(front, pki.orders) == b"ping"
        tail.wait_for("CLOSE", 3)
        front.signal(signal.SIGUSR1)
        wait_until(front.log.exists, what="the new file")
        connect(front, pki)
        tail.wait_for("ALLOW", 4)
        # Made shorter in place.
        os.truncate(front.log, 0)
        connect(front, pki)
        tail.wait_for("ALLOW", 5)
        assert tail.process.poll() is None
    finally:
        tail.end()


def test_follow_waits_for_the_file(tmp_path, rotated):
    path = tmp_path / "later.log"
    tail = Tail(tmp_path, path, "--verdict", "allow", "--action", "connection-allowed")
    try:
        assert tail.process.stderr.readline() == f"waiting for {path}\n".encode()
        whole = rotated[0].read_bytes()
        path.write_bytes(whole[:-10])
        tail.wait_for("ALLOW", 2)
        assert run("audit", "tail", tmp_path / "none").returncode == 2
    finally:
        tail.end()


def test_a_reader_that_leaves_ends_it_quietly(rotated):
    process = subprocess.Popen(
        [BINARY, "audit", "tail", "--follow", "-n", "all", str(rotated[0])], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) in (0, -signal.SIGPIPE)
    assert process.stderr.read() == b""
