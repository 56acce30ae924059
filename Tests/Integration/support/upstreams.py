"""What stands behind the gateway: small servers on threads, and a real Redis."""

import socket
import subprocess
import threading

from .gateway import free_port
from .wait import wait_until


class Upstream:
    """Accepts on loopback and gives each connection to `serve(connection)` on a thread of its own."""

    def __init__(self, serve=None, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.serve = serve or echo
        self.accepted = 0
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(1024)
        self.family = family
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def address(self):
        """As the configuration writes it."""
        if self.family == socket.AF_UNIX:
            return f"unix:{self.socket.getsockname()}"
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if self.family == socket.AF_INET6 else f"{host}:{port}"

    def _run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self.serve(connection)
            except OSError:
                pass

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def echo(connection):
    """Sends back what comes, and ends when the other side ends."""
    while data := connection.recv(65536):
        connection.sendall(data)


class Redis:
    """A real redis-server on a port of its own, without persistence."""

    def __init__(self, folder):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.folder = folder
        self.start()

    def start(self):
        """Starts it; again, after it was killed."""
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        wait_until(lambda: self.command("PING") == "PONG", what="redis-server")

    def command(self, *words):
        """Asks Redis directly, not through the gateway."""
        answer = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, timeout=10)
        return answer.stdout.strip()

    def close(self):
        self.process.terminate()
        self.process.wait(10)
