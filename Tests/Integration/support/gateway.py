"""The built program as a process, with its configuration and its log."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from .wait import wait_until

BINARY = os.environ["COUNTERSIGN"]

POLICY = {
    "version": 1,
    "callers": [
        {"name": "worker/{worker}", "match": {"san_uri": "spiffe://acme.example/worker/{worker}"}}
    ],
    "rules": [{"name": "orders-may-connect", "action": "allow", "callers": ["worker/orders"]}],
}


def free_port():
    """A TCP port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gateway:
    """`countersign serve` with one listener, `front`, before one upstream, `back`.

    Configuration and policy are dictionaries, written as JSON, which is YAML. `wrapper` is a command that
    becomes the gateway, such as setpriv or strace.
    """

    def __init__(self, folder, pki, upstream, *, limits=None, policy=POLICY, tls=None, listener=None,
                 audit=None, wrapper=(), **keys):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pki = pki
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.log = self.folder / "audit.log"
        self.process = None
        self.mark = 0  # of what stands on standard error, how much was looked at
        self.wrapper = [str(word) for word in wrapper]
        server = pki.server()
        self.configuration = {
            "version": 1,
            "listeners": [
                {
                    "name": "front",
                    "listen": f"127.0.0.1:{self.port}",
                    "tls": {
                        "certificate": str(server.certificate),
                        "private_key": str(server.key),
                        "client_ca": str(pki.ca.certificate),
                        **(tls or {}),
                    },
                    "upstream": "back",
                    **(listener or {}),
                }
            ],
            "upstreams": [upstream if isinstance(upstream, dict) else {"name": "back", "address": upstream}],
            "policies": ["policy.yaml"],
            "audit": {"path": str(self.log), **(audit or {})},
            **({"limits": limits} if limits else {}),
            **keys,
        }
        self.path = self.folder / "countersign.yaml"
        self.policy = self.folder / "policy.yaml"
        self.configure()
        self.write(self.policy, policy)

    def configure(self):
        """Writes the configuration as it is in `configuration` now."""
        self.write(self.path, self.configuration)

    def write(self, path, content):
        """Puts a file into its place at once, as whoever deploys does."""
        path = pathlib.Path(path)
        text = content if isinstance(content, (str, bytes)) else json.dumps(content, indent=2)
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(text.encode() if isinstance(text, str) else text)
        new.chmod(path.stat().st_mode if path.exists() else 0o600)
        new.replace(path)

    def reload(self, answer="countersign: reloaded"):
        """SIGHUP, and waits for the answer; files that were changed before may have been seen without it."""
        before = self.stderr().count("countersign: reload")
        self.signal(signal.SIGHUP)
        self.heard(lambda: self.stderr().count("countersign: reload") > before, answer)

    def followed(self, answer="countersign: reloaded", timeout=5):
        """Waits until changed files were seen without a signal."""
        self.heard(lambda: answer in self.stderr()[self.mark:], answer, timeout)

    def heard(self, reached, answer, timeout=30):
        wait_until(reached, timeout, f"'{answer}' in: {self.stderr()}")
        said, self.mark = self.stderr()[self.mark:], len(self.stderr())
        assert any(line.startswith(answer) for line in said.splitlines()), said

    def listen_also(self, name, **keys):
        """Before the start: a second listener like the first, on a port of its own; its address."""
        port = free_port()
        first = self.configuration["listeners"][0]
        self.configuration["listeners"].append({**first, "name": name, "listen": f"127.0.0.1:{port}", **keys})
        self.path.write_text(json.dumps(self.configuration, indent=2))
        return ("127.0.0.1", port)

    def start(self, wait=True, *, wrapper=(), environment=None, inherited=()):
        """Starts it, and waits until it listens; by another program and with other descriptors if wanted."""
        self.errors = open(self.folder / "stderr", "w+")
        before = len(self.records("gateway-started")) if wait else None
        self.process = subprocess.Popen(
            [*self.wrapper, *wrapper, BINARY, "serve", "--config", str(self.path)], stdin=subprocess.DEVNULL,
            stdout=self.errors, stderr=self.errors, env=environment, pass_fds=inherited)
        if wait:
            wait_until(
                lambda: self._alive() and len(self.records("gateway-started")) > before,
                what=f"gateway-started ({self.path})")
        return self

    def _alive(self):
        assert self.process.poll() is None, f"the gateway has ended: {self.stderr()}"
        return True

    @property
    def pid(self):
        return self.process.pid

    def stderr(self):
        return (self.folder / "stderr").read_text()

    def lines(self):
        """The complete lines of the log, as bytes."""
        if not self.log.exists():
            return []
        return [line for line in self.log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def records(self, action=None):
        records = [json.loads(line) for line in self.lines()]
        return [record for record in records if action is None or record["event"]["action"] == action]

    def wait_for(self, action, count=1, timeout=30.0, **event):
        """The records of an action, as soon as there are `count` whose `event` has the values given."""

        def found():
            matching = [
                record for record in self.records(action)
                if all(record["event"].get(key) == value for key, value in event.items())
            ]
            return matching if len(matching) >= count else None

        return wait_until(found, timeout, f"{count} {action} {event}; log: {self.summary()}")

    def summary(self):
        return [(r["event"]["action"], r["event"].get("reason")) for r in self.records()]

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, expected=0):
        """Ends it by SIGTERM; its exit code must be as expected."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGTERM)
        assert self.process.wait(30) == expected, self.stderr()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def memory(self):
        """Resident bytes."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def descriptors(self):
        """How many are open."""
        return len(self.descriptor_numbers())

    def descriptor_numbers(self):
        # The gateway keeps other processes of its user out of its memory, and with it out of this folder
        # (prctl(2), PR_SET_DUMPABLE): root alone may look.
        command = ["ls", f"/proc/{self.pid}/fd"]
        if os.geteuid() != 0:
            command = ["sudo", "-n", *command]
        return [int(number) for number in subprocess.run(command, capture_output=True, check=True).stdout.split()]
