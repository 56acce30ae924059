"""A service manager in small: it holds listening sockets, hands them over, and hears how its service is."""

import os
import socket
import sys

# Runs between fork and exec in the child's place: LISTEN_PID must be the pid of the program itself, and exec
# keeps it. Descriptors go to 3 and up in their order, without CLOEXEC (sd_listen_fds(3)).
HAND_OVER = """
import fcntl, os, sys
numbers = [int(number) for number in sys.argv[1].split(",") if number]
copies = [fcntl.fcntl(number, fcntl.F_DUPFD, 100) for number in numbers]
for place, copy in enumerate(copies, 3):
    os.dup2(copy, place, inheritable=True)
    os.close(copy)
if numbers:
    os.environ.setdefault("LISTEN_PID", str(os.getpid()))
if os.environ.get("WATCHDOG_PID") == "self":
    os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Notifications:
    """A datagram socket at which a service says how it is."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(20)
        self.address = address

    def next(self, timeout=20):
        """The next message as a list of its lines; raises TimeoutError where none comes."""
        self.socket.settimeout(timeout)
        return self.socket.recv(4096).decode().split("\n")

    def close(self):
        self.socket.close()


class Manager:
    """Starts a `Gateway` as a service manager would."""

    def __init__(self, gateway, sockets=(), names=None, notifications=None, **environment):
        self.gateway = gateway
        self.sockets = list(sockets)
        self.environment = dict(os.environ)
        if self.sockets:
            self.environment["LISTEN_FDS"] = str(len(self.sockets))
        if names is not None:
            self.environment["LISTEN_FDNAMES"] = names
        if notifications is not None:
            self.environment["NOTIFY_SOCKET"] = notifications.address
        self.environment.update(environment)

    def start(self, wait=True):
        numbers = [each.fileno() for each in self.sockets]
        wrapper = [sys.executable, "-c", HAND_OVER, ",".join(map(str, numbers))]
        self.gateway.start(wait, wrapper=wrapper, environment=self.environment, inherited=numbers)
        return self.gateway

    def refused(self):
        """Starts a gateway that cannot start; what it says."""
        front = self.start(wait=False)
        assert front.process.wait(20) == 2
        return front.stderr()


def listening(address=("127.0.0.1", 0), family=socket.AF_INET):
    made = socket.socket(family, socket.SOCK_STREAM)
    if family != socket.AF_UNIX:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    made.listen(512)
    return made
