"""A real PostgreSQL server on loopback, clients that come to it through a gateway, and the protocol by hand."""

import glob
import os
import pathlib
import pwd
import socket
import struct
import subprocess

from .clients import context
from .gateway import free_port
from .processes import end
from .wait import wait_until

# Debian keeps the server's programs out of PATH, a folder a version.
BINARIES = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])


def _as_postgres():
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "env": {"PATH": os.environ["PATH"]}}


class Postgres:
    """A cluster in a folder; `address` is where it listens, without TLS unless `tls` names an identity."""

    def __init__(self, folder, tls=None, client_ca=None, authentication="scram-sha-256"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.options = _as_postgres()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        data = self.folder / "data"
        if self.options:
            # Every folder above must let the server's user through.
            os.chown(self.folder, self.options["user"], self.options["group"])
            for parent in self.folder.parents:
                if parent == pathlib.Path("/"):
                    break
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run(BINARIES / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        settings = {
            "listen_addresses": "'127.0.0.1'", "port": self.port, "unix_socket_directories": f"'{self.folder}'",
            "fsync": "off", "max_connections": 60, "wal_level": "logical", "max_wal_senders": 4,
        }
        host = "host"
        if tls is not None:
            host = "hostssl"
            for name, source, mode in (("server.crt", tls.certificate, 0o644), ("server.key", tls.key, 0o600)):
                target = data / name
                target.write_bytes(source.read_bytes())
                target.chmod(mode)
                if self.options:
                    os.chown(target, self.options["user"], self.options["group"])
            settings["ssl"] = "on"
            if client_ca is not None:
                (data / "root.crt").write_bytes(client_ca.read_bytes())
                (data / "root.crt").chmod(0o644)
                settings["ssl_ca_file"] = "'root.crt'"
                authentication += " clientcert=verify-ca"
        with open(data / "postgresql.conf", "a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())
        # The database `raw` is for clients that speak the protocol by hand and know no passwords.
        unasked = authentication.replace("scram-sha-256", "trust")
        (data / "pg_hba.conf").write_text(
            f"local all all trust\n{host} raw all 127.0.0.1/32 {unasked}\n"
            f"{host} all all 127.0.0.1/32 {authentication}\n"
            f"{host} replication all 127.0.0.1/32 {authentication}\n")
        self.process = subprocess.Popen(
            [BINARIES / "postgres", "-D", data], stdout=open(self.folder / "log", "w"), stderr=subprocess.STDOUT,
            **self.options)
        wait_until(self._answers, what="postgres")
        for role in ("orders_ro", "orders_rw", "billing_rw"):
            self.sql(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret'")
        for database in ("orders", "orders_rw", "raw"):
            self.sql(f"CREATE DATABASE {database}")
        self.sql("GRANT CREATE ON SCHEMA public TO PUBLIC", "orders")

    def _run(self, *words):
        subprocess.run(words, check=True, capture_output=True, **self.options)

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        done = subprocess.run(
            [BINARIES / "pg_isready", "-h", self.folder, "-p", str(self.port)], capture_output=True)
        return done.returncode == 0

    def sql(self, command, database="postgres"):
        """Runs SQL as the superuser, not through the gateway; returns what psql prints."""
        done = subprocess.run(
            ["psql", "-X", "-h", self.folder, "-p", str(self.port), "-U", "postgres", "-d", database, "-Atc", command],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self):
        end(self.process)


# What the callers of the tests may do: each the role that bears its name, and `orders` some more.
POLICY = {
    "version": 1,
    "callers": [{"name": "worker/{worker}", "match": {"san_uri": "spiffe://acme.example/worker/{worker}"}}],
    "rules": [
        {
            "name": "own-role", "action": "allow", "callers": ["worker/*"],
            "when": {"postgres_database": ["orders", "orders_rw", "raw"], "postgres_user": "{worker}_rw",
                     "postgres_replication": {"present": False}},
        },
        {
            "name": "readers", "action": "allow", "callers": ["worker/orders"],
            "when": {"postgres_database": "orders", "postgres_user": "orders_ro",
                     "postgres_replication": {"present": False}},
        },
        {
            "name": "replicas", "action": "allow", "callers": ["worker/orders"],
            "when": {"postgres_replication": {"present": True}, "postgres_user": "orders_rw"},
        },
    ],
}


def parameters(front, identity, **others):
    """Connection parameters as libpq and its kin know them."""
    known = {
        "host": "localhost", "hostaddr": "127.0.0.1", "port": front.port, "user": "orders_rw", "dbname": "orders",
        "password": "secret", "sslmode": "verify-full", "sslrootcert": str(front.pki.ca.certificate),
        "gssencmode": "disable", "connect_timeout": 20,
        "sslcert": str(identity.certificate) if identity else "/nonexistent",
        "sslkey": str(identity.key) if identity else "/nonexistent",
    }
    return {**known, **others}


def conninfo(front, identity, **others):
    return " ".join(f"{key}='{value}'" for key, value in parameters(front, identity, **others).items())


def psql(front, identity, *commands, options=(), timeout=60, **others):
    """Runs psql through the gateway."""
    words = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", *options]
    for command in commands:
        words += ["-c", command]
    return subprocess.run(
        [*words, conninfo(front, identity, **others)], capture_output=True, text=True, timeout=timeout,
        stdin=subprocess.DEVNULL)


# MARK: the protocol by hand

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)


def startup(minor=0, **values):
    """A StartupMessage."""
    body = struct.pack("!HH", 3, minor)
    for name, value in values.items():
        body += name.encode() + b"\0" + (value if isinstance(value, bytes) else value.encode()) + b"\0"
    return struct.pack("!i", 5 + len(body)) + body + b"\0"


def cancel_request(process, key):
    return struct.pack("!iii", 12 + len(key), 80877102, process) + key


def plain(front, timeout=20):
    return socket.create_connection(front.address, timeout=timeout)


def secure(front, identity, alpn=None, raw=None, timeout=20):
    """A connection within TLS, asked for by SSLRequest."""
    raw = raw or plain(front, timeout)
    raw.sendall(SSL_REQUEST)
    answer = raw.recv(1)
    assert answer == b"S", answer
    made = context(front.pki, identity, alpn=alpn)
    return made.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)


def message(stream):
    """The next message as type and body; nil at the end of the stream."""
    head = _exactly(stream, 5)
    if head is None:
        return None
    return head[:1], _exactly(stream, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            assert not data, "the stream ends within a message"
            return None
        data += piece
    return data


def messages(stream):
    """All messages until the end of the stream."""
    found = []
    while (each := message(stream)) is not None:
        found.append(each)
    return found


def error(each):
    """The fields of an ErrorResponse by their letters."""
    kind, body = each
    assert kind == b"E", each
    return {field[:1].decode(): field[1:].decode() for field in body.split(b"\0") if field}


def open_raw(front, identity, minor=0, **values):
    """A session in the database `raw`; returns the stream, the process and the key that cancel its queries."""
    stream = secure(front, identity)
    stream.sendall(startup(minor, **{"user": "orders_rw", "database": "raw", **values}))
    process = key = None
    while True:
        kind, body = message(stream)
        assert kind != b"E", body
        if kind == b"K":
            process, key = struct.unpack("!i", body[:4])[0], body[4:]
        if kind == b"Z":
            return stream, process, key


def query(stream, text):
    """Sends a simple query."""
    body = text.encode() + b"\0"
    stream.sendall(b"Q" + struct.pack("!i", 4 + len(body)) + body)


def answer(stream):
    """What comes until the server is ready again."""
    found = []
    while True:
        each = message(stream)
        assert each is not None, f"the server is gone behind {found}"
        if each[0] == b"Z":
            return found
        found.append(each)
