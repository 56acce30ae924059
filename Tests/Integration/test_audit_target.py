"""Where the log may go: one writer a file, a chain that can go on, and `check` says what the start would."""

import json
import os
import signal
import socket
import subprocess

import pytest

from support.chain import verify
from support.clients import exchange
from support.gateway import BINARY
from support.wait import wait_until


def check(front, *words):
    front.path.write_text(json.dumps(front.configuration, indent=2))
    return subprocess.run(
        [*front.wrapper, BINARY, "check", "--config", front.path, *words], capture_output=True, text=True,
        timeout=60)


def refused(front):
    """What the start says that does not come to anything."""
    front.path.write_text(json.dumps(front.configuration, indent=2))
    front.start(wait=False)
    assert front.process.wait(20) == 2
    return front.stderr()


@pytest.fixture
def pair(gateway, upstream):
    """A gateway that runs, and another that is to write the same log."""
    front = gateway(upstream().address)
    second = gateway(upstream().address, name="second", start=False, audit={"path": str(front.log)})
    second.log = front.log
    return front, second


def test_a_log_has_one_writer(pair, pki):
    front, second = pair
    assert exchange(front, pki.orders) == b"ping"
    front.wait_for("connection-closed")
    before = front.log.read_bytes()
    assert f"another process writes the audit log {front.log}: stop it, or name another file" in refused(second)
    assert front.log.read_bytes() == before
    assert exchange(front, pki.orders) == b"ping"
    front.stop()
    second.start()
    assert exchange(second, pki.orders) == b"ping"
    second.stop()
    verify(front.lines())


def test_the_lock_ends_with_its_process(pair, pki):
    front, second = pair
    front.kill()
    second.start()
    assert exchange(second, pki.orders) == b"ping"
    second.stop()
    verify(second.lines())


def test_a_rotation_onto_the_log_of_another_keeps_the_old_file(pair, pki):
    front, second = pair
    rotated = front.log.with_suffix(".1")
    front.log.rename(rotated)
    second.start()
    front.signal(signal.SIGUSR1)
    words = f"records go on into the old file: another process writes the audit log {front.log}"
    wait_until(lambda: words in front.stderr(), what="the refusal")
    front.log = rotated
    for each in (front, second):
        assert exchange(each, pki.orders) == b"ping"
        each.stop()
        verify(each.lines())


def test_a_signal_without_a_rotation_changes_nothing(pair, pki):
    front, second = pair
    for count in (1, 2):
        front.signal(signal.SIGUSR1)
        assert exchange(front, pki.orders) == b"ping"
        front.wait_for("connection-closed", count=count)
    assert "another process writes" in refused(second) and front.stderr() == ""
    front.stop()
    verify(front.lines())


def test_a_check_beside_a_running_gateway_is_clean(pair, pki):
    front, second = pair
    assert exchange(front, pki.orders) == b"ping"
    for each in (front, second):
        done = check(each, "--strict")
        assert done.returncode == 0, done.stderr


def folder(front, path):
    path.mkdir()
    return "it is a folder"


def missing(front, path):
    front.configuration["audit"]["path"] = str(path / "audit.log")
    return "create the folder; relative paths begin at the folder of the configuration file"


def foreign(front, path):
    path.write_text("root:x:0:0:root:/root:/bin/sh\n")
    return "is no audit log"


def pipe(front, path):
    os.mkfifo(path)
    front.configuration["audit"]["durability"] = "synced"
    return "it is no regular file"


def device(front, path):
    front.configuration["audit"].update(path="/dev/null", durability="synced")
    return "it is no regular file"


def bound(front, path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
    return "it is a socket"


def unwritable(front, path):
    path.mkdir()
    path.chmod(0o500)
    front.configuration["audit"]["path"] = str(path / "audit.log")
    return "let the gateway's user write the file"


def unreadable(front, path):
    path.write_text('{"event":{"sequence":1}}\n')
    path.chmod(0o200)
    return "let the gateway's user read it"


# Root may write everywhere with the capability to.
ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@pytest.mark.parametrize(
    "make", [folder, missing, foreign, pipe, device, bound, unwritable, unreadable], ids=lambda make: make.__name__)
def test_a_check_refuses_what_the_start_refuses(gateway, tmp_path, make):
    front = gateway("127.0.0.1:9", start=False, wrapper=ORDINARY)
    front.log = tmp_path / "nothing"
    path = tmp_path / "log"
    front.configuration["audit"]["path"] = str(path)
    words = make(front, path)
    done = check(front)
    line = front.path.read_text().splitlines().index(
        f'    "path": {json.dumps(front.configuration["audit"]["path"])}'
        + ("," if "durability" in front.configuration["audit"] else "")) + 1
    assert done.returncode == 2 and "1 error" in done.stdout
    assert done.stderr.startswith(f"{front.path}:{line}:13: error: ") and words in done.stderr
    assert "[unusable-audit-log]" in done.stderr
    before = sorted(tmp_path.rglob("*"))
    assert words in refused(front)
    assert [found for found in sorted(tmp_path.rglob("*")) if found.name != "stderr"] == before


def test_a_pipe_without_a_reader_is_told_of_by_the_start(gateway, tmp_path):
    """The check opens nothing, and so can neither wait nor tell."""
    front = gateway("127.0.0.1:9", start=False, audit={"path": str(tmp_path / "fifo")})
    front.log = tmp_path / "nothing"
    os.mkfifo(tmp_path / "fifo")
    assert check(front).returncode == 0
    assert "nobody reads this pipe: start its reader first" in refused(front)


@pytest.mark.parametrize("first", [True, False], ids=["sealed", "not sealed"])
def test_a_log_keeps_to_its_chain_or_to_none(gateway, upstream, pki, first):
    front = gateway(upstream().address, audit={"integrity": first})
    exchange(front, pki.orders)
    front.stop()
    before = front.log.read_bytes()
    front.configuration["audit"]["integrity"] = not first
    words = "integrity: false ends its chain" if first else "is not sealed: was it written with integrity: false?"
    assert words in check(front).stderr
    assert words in refused(front)
    assert front.log.read_bytes() == before
    front.log.rename(front.log.with_suffix(".1"))
    assert check(front).returncode == 0
    front.start()


def test_lines_that_an_editor_ended_anew_are_not_gone_on_with(gateway, upstream, pki):
    front = gateway(upstream().address)
    exchange(front, pki.orders)
    front.stop()
    whole = front.log.read_bytes()
    front.log.write_bytes(whole.replace(b"\n", b"\r\n"))
    assert "is not sealed" in refused(front)
    front.log.write_bytes(whole)
    front.start()
