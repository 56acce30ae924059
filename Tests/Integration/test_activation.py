"""Listeners on sockets that a service manager opened."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from support.clients import connect, exchange
from support.gateway import BINARY
from support.manager import Manager, listening
from support.wait import wait_until

DEPLOY = pathlib.Path(__file__).parents[2] / "Deploy"


@pytest.fixture
def activated(gateway, upstream):
    """A gateway whose listener `front` takes sockets by a name; not started."""

    def make(name="front", **arguments):
        return gateway(upstream().address, start=False, listener={"listen": f"systemd:{name}"}, **arguments)

    return make


@pytest.fixture
def sockets():
    """Listening sockets, closed at the end."""
    made = []

    def make(*arguments, **named):
        made.append(listening(*arguments, **named))
        return made[-1]

    yield make
    for each in made:
        each.close()


def at(front, address):
    """The same gateway, reached at an address."""
    front.address = address
    return front


def test_a_socket_is_taken_by_its_name(activated, sockets, pki):
    handed = sockets()
    front = Manager(activated(), [handed], "front").start()
    assert exchange(at(front, handed.getsockname()), pki.orders) == b"ping"
    started = front.records("gateway-started")[0]["countersign"]["gateway"]
    assert started["listeners"] == [{"name": "front", "address": "127.0.0.1:%d" % handed.getsockname()[1]}]
    allowed = front.wait_for("connection-allowed")[0]
    assert allowed["source"]["ip"] == "127.0.0.1"
    assert front.stderr() == ""


def test_without_a_name_it_is_unknown(activated, sockets, pki):
    handed = sockets()
    front = Manager(activated("unknown"), [handed]).start()
    assert exchange(at(front, handed.getsockname()), pki.orders) == b"ping"


def test_several_sockets_have_one_name(activated, sockets, pki, tmp_path):
    handed = [sockets(), sockets(), sockets(str(tmp_path / "x.sock"), socket.AF_UNIX)]
    front = Manager(activated(), handed, "front:front:front").start()
    for each in handed:
        assert exchange(at(front, each.getsockname()), pki.orders) == b"ping"
    assert len(front.records("gateway-started")[0]["countersign"]["gateway"]["listeners"]) == 3
    front.wait_for("connection-allowed", count=3)
    assert ["source" in record for record in front.records("connection-allowed")] == [True, True, False]
    front.stop()
    assert os.path.exists(tmp_path / "x.sock"), "the file is the service manager's"


def test_listeners_take_each_their_own(activated, sockets, pki):
    first, second = sockets(), sockets()
    front = activated("a")
    front.configuration["listeners"].append(
        {**front.configuration["listeners"][0], "name": "second", "listen": "systemd:b"})
    front.path.write_text(json.dumps(front.configuration))
    Manager(front, [first, second], "b:a").start()
    assert exchange(at(front, first.getsockname()), pki.orders) == b"ping"
    assert exchange(at(front, second.getsockname()), pki.orders) == b"ping"
    records = front.wait_for("connection-allowed", count=2)
    assert [record["countersign"]["listener"] for record in records] == ["second", "front"]


def test_a_socket_that_nobody_names_is_warned_of(activated, sockets, pki):
    used, unused = sockets(), sockets()
    front = Manager(activated(), [used, unused], "front:spare").start()
    assert exchange(at(front, used.getsockname()), pki.orders) == b"ping"
    wait_until(lambda: front.stderr(), what="the warning")
    assert front.stderr() == (
        "countersign: warning: nobody serves the socket(s) 'spare' that the service manager handed over: "
        "name them by listen: systemd:NAME, or take them out of the socket unit\n")


def test_a_socket_whose_listener_goes_is_warned_of(activated, sockets, pki):
    first, second = sockets(), sockets()
    front = activated("a")
    front.configuration["listeners"].append(
        {**front.configuration["listeners"][0], "name": "second", "listen": "systemd:b"})
    front.configure()
    Manager(front, [first, second], "a:b").start()
    warning = "countersign: warning: nobody serves the socket(s) 'b' that the service manager handed over: "
    counts = [front.stderr().count(warning)]
    del front.configuration["listeners"][1]
    front.configure()
    for answer in ("countersign: reloaded", "countersign: reload: nothing has changed"):
        front.reload(answer)
        counts.append(front.stderr().count(warning))
    assert 0 == counts[0] < counts[1] < counts[2]
    assert exchange(at(front, first.getsockname()), pki.orders) == b"ping"


def test_a_listener_in_use_by_an_address_leaves_the_handed_one_unused(gateway, upstream, sockets, pki):
    front = Manager(gateway(upstream().address, start=False), [sockets()], "front").start()
    assert exchange(front, pki.orders) == b"ping"
    wait_until(lambda: "nobody serves the socket(s) 'front'" in front.stderr(), what="the warning")


def test_a_wrong_name_says_which_there_are(activated, sockets):
    said = Manager(activated("frnt"), [sockets(), sockets()], "front:back").refused()
    assert said == (
        "countersign: not started: listener front: systemd:frnt: no socket 'frnt' was handed over, only 'back', "
        "'front': set FileDescriptorName=frnt in the socket unit\n")


def test_sockets_of_another_process_are_not_taken(activated, sockets):
    said = Manager(activated(), [sockets()], "front", LISTEN_PID="1").refused()
    assert "no socket was handed over: LISTEN_PID is '1' and countersign is " in said


def test_without_a_socket_unit_it_does_not_start(activated):
    assert "no socket was handed over (LISTEN_FDS is not set)" in Manager(activated()).refused()


WRONG = {
    "count": ({"LISTEN_FDS": "x"}, "front", "LISTEN_FDS is 'x', expected how many sockets are handed over"),
    "too few": ({"LISTEN_FDS": "2"}, "front:front", "handed over as descriptor 4, "),
    "names": ({}, "front:back", "LISTEN_FDNAMES has 2 name(s) for 1 socket(s)"),
}


@pytest.mark.parametrize("environment, names, expected", WRONG.values(), ids=WRONG.keys())
def test_a_broken_handing_over_does_not_start(activated, sockets, environment, names, expected):
    said = Manager(activated(), [sockets()], names, **environment).refused()
    assert said.startswith("countersign: not started: ") and expected in said


def test_a_datagram_socket_is_refused(activated):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
        said = Manager(activated(), [wrong], "front").refused()
    assert "is no stream socket of TCP or Unix: use ListenStream= in the socket unit" in said


def test_a_socket_that_does_not_listen_is_refused(activated):
    with socket.socket() as wrong:
        wrong.bind(("127.0.0.1", 0))
        said = Manager(activated(), [wrong], "front").refused()
    assert "does not listen: the socket unit must have Accept=no" in said


def test_who_waits_while_it_restarts_is_served_by_the_successor(activated, sockets, pki):
    handed = sockets()
    manager = Manager(activated(), [handed], "front")
    front = at(manager.start(), handed.getsockname())
    front.stop()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(exchange(front, pki.orders)))
    waiting.start()  # connects to a socket behind which nobody is
    manager.start()
    waiting.join(20)
    assert answers == [b"ping"]


def test_a_live_connection_drains_while_new_ones_wait(activated, sockets, pki):
    handed = sockets()
    manager = Manager(activated(), [handed], "front")
    front = at(manager.start(), handed.getsockname())
    stream = connect(front, pki.orders)
    stream.sendall(b"a")
    assert stream.recv(1) == b"a"
    front.signal(signal.SIGTERM)
    front.wait_for("gateway-stopping")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(exchange(front, pki.orders)))
    waiting.start()
    stream.sendall(b"b")
    assert stream.recv(1) == b"b"
    stream.close()
    assert front.process.wait(20) == 0
    assert answers == []
    manager.start()
    waiting.join(20)
    assert answers == [b"ping"]


def test_systemd_hands_a_socket_over(activated, pki):
    """systemd's own implementation of the other side."""
    front = activated()
    host, port = front.address
    front.start(wait=False, wrapper=["systemd-socket-activate", "-l", f"{host}:{port}", "--fdname=front"])

    def served():
        try:
            return exchange(front, pki.orders) == b"ping"
        except ConnectionRefusedError:
            return False

    wait_until(served, what="systemd-socket-activate listening")
    front.wait_for("gateway-started")


def test_the_units_are_what_systemd_understands(tmp_path):
    units = []
    for unit in sorted(DEPLOY.glob("countersign.*")):
        # What is started must be there.
        text = unit.read_text().replace("/usr/local/bin/countersign", BINARY)
        units.append(tmp_path / unit.name)
        units[-1].write_text(text)
    assert [unit.name for unit in units] == ["countersign.service", "countersign.socket"]
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
    assert (said.returncode, [line for line in said.stderr.splitlines() if "countersign" in line]) == (0, [])


def test_restarts_refuse_nobody(activated, sockets, pki):
    """Clients connect in a loop while the gateway is restarted five times: each gets its answer."""
    handed = sockets()
    manager = Manager(activated(workers=2), [handed], "front")
    front = at(manager.start(), handed.getsockname())
    done = threading.Event()
    served, failed = [], []

    def client():
        while not done.is_set():
            try:
                served.append(exchange(front, pki.orders) == b"ping" or 1 / 0)
            except Exception as error:  # whatever it is, it is a refusal
                failed.append(repr(error))

    clients = [threading.Thread(target=client) for _ in range(4)]
    for each in clients:
        each.start()
    for _ in range(5):
        before = len(served)
        wait_until(lambda: len(served) >= before + 20, what="clients that are served")
        front.stop()
        manager.start()
    wait_until(lambda: len(served) >= 120, what="clients that are served")
    done.set()
    for each in clients:
        each.join(20)
    assert failed == []
    assert len(front.wait_for("connection-closed", count=len(served))) == len(served)
    assert len(front.records("gateway-started")) == 6
