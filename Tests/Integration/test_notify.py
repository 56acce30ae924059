"""What a service manager hears: sd_notify(3)."""

import os
import signal
import time

import pytest

from support.clients import connect, exchange
from support.manager import Manager, Notifications
from support.wait import wait_until


@pytest.fixture(params=["path", "abstract"])
def notifications(request, tmp_path):
    address = str(tmp_path / "notify.sock") if request.param == "path" else f"@countersign-test-{os.getpid()}"
    made = Notifications(address)
    yield made
    made.close()


@pytest.fixture
def quiet(gateway, upstream):
    return lambda **arguments: gateway(upstream().address, start=False, **arguments)


def test_ready_and_stopping_in_order(quiet, notifications, pki):
    front = quiet(workers=2, drain_timeout="60s")
    manager = Manager(front, notifications=notifications)
    manager.start(wait=False)
    assert notifications.next() == ["READY=1", "STATUS=Serving on 1 socket(s) with 2 worker(s)"]
    # Ready means that it serves: nothing is waited for.
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        before = time.monotonic_ns() // 1000
        front.signal(signal.SIGHUP)
        reloading, moment = notifications.next()
        assert reloading == "RELOADING=1"
        assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
        assert notifications.next()[0] == "READY=1"
        # However it comes out: the manager waits for it.
        front.write(front.policy, "version: 2")
        front.signal(signal.SIGHUP)
        assert notifications.next()[0] == "RELOADING=1"
        assert notifications.next()[0] == "READY=1"
        # The log is written beside the answer.
        assert len(front.wait_for("configuration-rejected")) == 1
        front.signal(signal.SIGTERM)
        assert notifications.next() == ["STOPPING=1", "STATUS=Draining 1 connection(s)"]
    assert front.process.wait(20) == 0
    with pytest.raises(TimeoutError):
        notifications.next(timeout=0.2)


def test_nothing_is_ready_that_does_not_start(quiet, notifications):
    front = quiet()
    (front.folder / "policy.yaml").write_text("version: 2")
    Manager(front, notifications=notifications).refused()
    with pytest.raises(TimeoutError):
        notifications.next(timeout=0.2)


def test_signs_of_life_come_at_half_the_time(quiet, notifications):
    front = quiet(workers=2)
    Manager(front, notifications=notifications, WATCHDOG_USEC="400000", WATCHDOG_PID="self").start()
    assert notifications.next()[0] == "READY=1"
    assert notifications.next() == ["WATCHDOG=1"]
    begun = time.monotonic()
    for _ in range(10):
        assert notifications.next(timeout=5) == ["WATCHDOG=1"]
    assert 1.8 <= time.monotonic() - begun <= 4
    front.signal(signal.SIGTERM)
    wait_until(lambda: front.process.poll() == 0, what="the end")


def test_signs_of_life_go_on_while_it_drains(quiet, notifications, pki):
    front = quiet(workers=2, drain_timeout="60s")
    Manager(front, notifications=notifications, WATCHDOG_USEC="200000").start()
    with connect(front, pki.orders) as stream:
        stream.sendall(b"a")
        assert stream.recv(1) == b"a"
        front.signal(signal.SIGTERM)
        while notifications.next()[0] != "STOPPING=1":
            pass
        # One of the two workers has ended, and is not asked any more.
        for _ in range(5):
            assert notifications.next(timeout=5) == ["WATCHDOG=1"]
    assert front.process.wait(20) == 0


def test_a_stopped_process_gives_no_sign(quiet, notifications):
    front = quiet()
    Manager(front, notifications=notifications, WATCHDOG_USEC="100000").start()
    assert notifications.next()[0] == "READY=1"
    assert notifications.next() == ["WATCHDOG=1"]
    front.signal(signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        while True:  # what was on its way
            notifications.next(timeout=0.5)
    front.signal(signal.SIGCONT)
    assert notifications.next() == ["WATCHDOG=1"]


def test_a_watchdog_of_another_process_is_not_ours(quiet, notifications):
    front = quiet()
    Manager(front, notifications=notifications, WATCHDOG_USEC="50000", WATCHDOG_PID="1").start()
    assert notifications.next()[0] == "READY=1"
    with pytest.raises(TimeoutError):
        notifications.next(timeout=0.5)


def test_a_manager_that_is_gone_does_not_matter(quiet, notifications, pki):
    front = quiet()
    notifications.close()
    Manager(front, notifications=notifications, WATCHDOG_USEC="20000").start()
    wait_until(lambda: "the service manager cannot be told" in front.stderr(), what="the message")
    assert exchange(front, pki.orders) == b"ping"
    front.stop()
    said = front.stderr().splitlines()
    assert len(said) == 2 and "SIGTERM: draining " in said[1]
