"""A real PostgreSQL server on loopback, and clients that come to it through a gateway."""

import glob
import os
import pathlib
import pwd
import subprocess

from .gateway import free_port
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
        (data / "pg_hba.conf").write_text(
            f"local all all trust\n{host} all all 127.0.0.1/32 {authentication}\n"
            f"{host} replication all 127.0.0.1/32 {authentication}\n")
        self.process = subprocess.Popen(
            [BINARIES / "postgres", "-D", data], stdout=open(self.folder / "log", "w"), stderr=subprocess.STDOUT,
            **self.options)
        wait_until(self._answers, what="postgres")
        for role in ("orders_ro", "orders_rw", "billing_rw"):
            self.sql(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret'")
        self.sql("CREATE DATABASE orders")
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
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
