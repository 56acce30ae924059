"""Listeners on Unix sockets: who may connect, what becomes of the file, and what policies see."""

import errno
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile

import pytest

from support.clients import connect, context, dial, exchange, receive
from support.wait import wait_until

POLICY_CALLERS = [{"name": "worker/{worker}", "match": {"san_uri": "spiffe://acme.example/worker/{worker}"}}]


@pytest.fixture
def unix_gateway(gateway, tmp_path, upstream):
    """A gateway at a path; `.address` is the path."""

    def make(target=None, start=True, path=None, access=None, **arguments):
        path = path or tmp_path / "front.sock"
        listener = {"listen": f"unix:{path}", **({"socket": access} if access else {})}
        front = gateway(target or upstream().address, start=False, listener=listener, **arguments)
        front.address = path
        return front.start() if start else front

    return make


def refused(front):
    """Starts a gateway that cannot start; what it says."""
    front.start(wait=False)
    assert front.process.wait(20) == 2
    return front.stderr()


def test_clients_come_in_by_the_path(unix_gateway, pki):
    front = unix_gateway()
    assert exchange(front, pki.orders) == b"ping"
    allowed = front.wait_for("connection-allowed")[0]
    assert "source" not in allowed and "client" not in allowed
    assert front.records("gateway-started")[0]["countersign"]["gateway"]["listeners"] == [
        {"name": "front", "address": f"unix:{front.address}"}]
    with pytest.raises((ssl.SSLError, OSError)):
        exchange(front, None)
    front.wait_for("handshake-failed", reason="certificate_missing")
    with connect(front, pki.billing) as stream:
        assert stream.recv(1) == b""
    front.wait_for("connection-denied", reason="default")


def test_curl_comes_in_by_the_path(unix_gateway, pki, upstream):
    def answer(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

    front = unix_gateway(upstream(answer).address)
    answer = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--unix-socket", str(front.address), "--cacert", str(pki.ca.certificate),
         "--cert", str(pki.orders.certificate), "--key", str(pki.orders.key), "https://localhost/"],
        capture_output=True, text=True)
    assert (answer.stdout, answer.returncode) == ("hello", 0), answer.stderr


def test_redis_is_reached_by_paths_on_both_sides(unix_gateway, redis, pki):
    """redis-cli speaks TLS over TCP alone, so that its protocol is spoken here by hand."""
    front = unix_gateway(redis.address)
    with connect(front, pki.orders) as stream:
        stream.sendall(b"*3\r\n$3\r\nSET\r\n$8\r\ngreeting\r\n$5\r\nhello\r\n")
        assert receive(stream, 5) == b"+OK\r\n"
    assert redis.command("GET", "greeting") == "hello"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
@pytest.mark.parametrize("mode", [None, "0660", "0666"])
def test_mode_and_owner_are_as_configured(unix_gateway, pki, umask, mode):
    front = unix_gateway(access={"mode": mode} if mode else None, start=False)
    front.start(wrapper=["sh", "-c", f'umask {umask:03o}; exec "$@"', "sh"])
    found = os.stat(front.address)
    assert stat.S_ISSOCK(found.st_mode)
    assert oct(found.st_mode & 0o7777) == oct(int(mode or "0600", 8))
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())
    assert exchange(front, pki.orders) == b"ping"


def nobody():
    return pwd.getpwnam("nobody")


def as_nobody(path):
    """Connects as another user; the error that it gets, or None."""
    script = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[3]))\n"
        "try: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except OSError as error: print(error.errno)\n"
        "else: print(0)\n")
    account = nobody()
    command = ["python3", "-c", script, str(path), str(account.pw_gid), str(account.pw_uid)]
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def open_folder():
    """A folder that every user may look into, which pytest's own are not."""
    folder = tempfile.mkdtemp(prefix="countersign-")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


def test_another_user_needs_the_right_to_write(unix_gateway, pki, open_folder):
    
    front = unix_gateway(path=f"{open_folder}/front.sock")
    assert as_nobody(front.address) == errno.EACCES
    front.stop()
    front = unix_gateway(path=f"{open_folder}/front.sock", access={"mode": "0666"}, name="open")
    assert as_nobody(front.address) == 0
    assert exchange(front, pki.orders) == b"ping"


def test_the_file_is_given_to_the_user_and_the_group(unix_gateway, open_folder):
    """Root gives it to strangers; others to themselves, and to a group of theirs."""
    root = os.geteuid() == 0
    user = pwd.getpwnam("daemon").pw_uid if root else os.geteuid()
    group = nobody().pw_gid if root else os.getgroups()[-1]
    access = {"mode": "0660", "user": pwd.getpwuid(user).pw_name, "group": str(group)}
    front = unix_gateway(path=f"{open_folder}/front.sock", access=access)
    found = os.stat(front.address)
    assert (found.st_uid, found.st_gid, oct(found.st_mode & 0o7777)) == (user, group, "0o660")
    if root:
        assert as_nobody(front.address) == 0, "a member of the group may connect"


def test_an_unknown_group_is_a_finding(unix_gateway):
    said = refused(unix_gateway(access={"group": "no-such-group"}, start=False))
    assert "error: this machine has no group 'no-such-group' [unknown-group]" in said


def test_the_file_of_a_killed_gateway_is_replaced(unix_gateway, pki):
    front = unix_gateway()
    front.kill()
    assert stat.S_ISSOCK(os.stat(front.address).st_mode)
    front.start()
    assert exchange(front, pki.orders) == b"ping"


def test_a_live_socket_is_left_alone(unix_gateway, pki):
    front = unix_gateway()
    said = refused(unix_gateway(name="second", start=False))
    assert f"listener front: cannot listen on unix:{front.address}: bind: Address already in use (EADDRINUSE); " \
        "another process listens there: stop it or choose another path" in said
    assert exchange(front, pki.orders) == b"ping"


def test_a_file_that_is_no_socket_is_left_alone(unix_gateway, tmp_path):
    (tmp_path / "front.sock").write_text("precious")
    assert "what is there is no socket: remove it or choose another path" in refused(unix_gateway(start=False))
    assert (tmp_path / "front.sock").read_text() == "precious"


def test_a_missing_folder_is_said(unix_gateway, tmp_path):
    said = refused(unix_gateway(path=tmp_path / "none" / "front.sock", start=False))
    assert "bind: No such file or directory (ENOENT); the folder is not there: create it" in said


def test_a_path_that_is_too_long_is_a_finding(unix_gateway, tmp_path):
    said = refused(unix_gateway(path=f"{tmp_path}/{'x' * 108}", start=False))
    assert "expected at most 107 [out-of-range]" in said


def test_the_file_goes_when_the_drain_begins(unix_gateway, pki):
    front = unix_gateway()
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(signal.SIGTERM)
        wait_until(lambda: not os.path.lexists(front.address), what="the file's end")
        with pytest.raises(FileNotFoundError):
            dial(front.address)
        stream.sendall(b"b")
        assert stream.recv(1) == b"b"
    assert front.process.wait(20) == 0


def test_a_successor_takes_the_path_while_the_first_drains(unix_gateway, pki):
    front = unix_gateway()
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(signal.SIGTERM)
        wait_until(lambda: not os.path.lexists(front.address), what="the file's end")
        second = unix_gateway(name="second")
        stream.close()
    assert front.process.wait(20) == 0
    assert exchange(second, pki.orders) == b"ping"


def test_the_file_of_somebody_else_stays(unix_gateway):
    front = unix_gateway()
    os.unlink(front.address)
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(front.address))
    front.stop()
    assert os.path.lexists(front.address)
    other.close()


def test_no_file_is_left_by_a_start_that_fails(unix_gateway, tmp_path):
    front = unix_gateway(start=False)
    second = {**front.configuration["listeners"][0], "name": "second", "listen": f"unix:{tmp_path}/none/x.sock"}
    front.configuration["listeners"].append(second)
    front.path.write_text(json.dumps(front.configuration))
    assert "listener second: cannot listen on" in refused(front)
    assert not os.path.lexists(front.address)


RULES = {
    "when": ({"action": "allow", "when": {"source_ip": "0.0.0.0/0"}}, False),
    "when absent": ({"action": "allow", "when": {"source_ip": {"present": False}}}, True),
    "unless": ({"action": "allow", "unless": {"source_ip": "0.0.0.0/0"}}, True),
}


@pytest.mark.parametrize("rule, allowed", RULES.values(), ids=RULES.keys())
def test_an_address_that_is_absent_matches_nothing(unix_gateway, pki, rule, allowed):
    policy = {
        "version": 1, "callers": POLICY_CALLERS,
        "rules": [{"name": "by-address", "callers": ["worker/orders"], **rule}]}
    front = unix_gateway(policy=policy)
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == (b"a" if allowed else b"")
    front.wait_for("connection-allowed" if allowed else "connection-denied")
