"""A real MariaDB server on loopback, and what clients that come to it through a gateway are told."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import mysql.connector
import pymysql

from .gateway import POLICY, free_port
from .processes import end
from .wait import wait_until

SERVER = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")

# A listener for MySQL before MariaDB, and the policy that ties accounts and databases to callers.
MYSQL = {"protocol": "mysql", "mysql_server_version": "5.5.5-10.11.19-MariaDB"}
OWN_ACCOUNT = {
    **POLICY,
    "rules": [
        {
            "name": "own-account", "action": "allow", "callers": ["worker/*"],
            "when": {
                "mysql_user": ["{worker}_rw", "{worker}_ed", "{worker}_empty"], "mysql_database": "{worker}",
            },
        }
    ],
}


def _as_mysql():
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("mysql")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class MariaDB:
    """A server in a folder: `address` and `unix` are where it listens, without TLS unless `tls` names an identity.

    Its accounts, each with the password of its name: `orders_rw`, `orders_ro` and `billing_rw`
    (mysql_native_password), `orders_ed` (ed25519), `orders_empty` (no password).
    """

    def __init__(self, tls=None, client_ca=None, options=()):
        # Not below pytest's own folder, which the server's user may not pass.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mariadb-"))
        self.folder.chmod(0o755)
        self.account = _as_mysql()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.socket = self.folder / "s"
        self.unix = f"unix:{self.socket}"
        data = self.folder / "data"
        data.mkdir()
        if self.account:
            for path in (self.folder, data):
                os.chown(path, self.account["user"], self.account["group"])
        self._run(
            "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
            "--skip-test-db", "--innodb-log-file-size=8M")
        words = [
            SERVER, "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", f"--port={self.port}",
            "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-allowed-packet=64M",
            "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0", "--local-infile=1",
            "--plugin-load-add=auth_ed25519", "--proxy-protocol-networks=127.0.0.1",
            "--max-connect-errors=1000000", *options,
        ]
        if tls is not None:
            for name, source in (("server.pem", tls.certificate), ("server.key", tls.key)):
                self._give(name, source)
            words += [f"--ssl-cert={self.folder}/server.pem", f"--ssl-key={self.folder}/server.key"]
            if client_ca is not None:
                self._give("ca.pem", client_ca)
                words += [f"--ssl-ca={self.folder}/ca.pem"]
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, **self.account)
        wait_until(self._answers, timeout=60, what="mariadbd")
        require = " REQUIRE X509" if client_ca is not None else ""
        for user in ("orders_rw", "orders_ro", "billing_rw"):
            self.sql(f"CREATE USER {user} IDENTIFIED VIA mysql_native_password USING PASSWORD('{user}'){require}")
        self.sql(f"CREATE USER orders_ed IDENTIFIED VIA ed25519 USING PASSWORD('orders_ed'){require}")
        self.sql(f"CREATE USER orders_empty{require}")
        self.sql("CREATE DATABASE orders")
        self.sql("CREATE DATABASE billing")
        for user in ("orders_rw", "orders_ro", "billing_rw", "orders_ed", "orders_empty"):
            self.sql(f"GRANT ALL ON *.* TO {user}")

    def _give(self, name, source):
        target = self.folder / name
        target.write_bytes(source.read_bytes())
        target.chmod(0o600)
        if self.account:
            os.chown(target, self.account["user"], self.account["group"])

    def _run(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, **self.account)
        assert done.returncode == 0, done.stdout + done.stderr

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return self._ask("SELECT 1").returncode == 0

    def _ask(self, command, database=""):
        return subprocess.run(
            ["mariadb", "--no-defaults", "-S", str(self.socket), "-u", "root", "-BN", "-e", command, database],
            capture_output=True, text=True, timeout=60)

    def sql(self, command, database=""):
        """Runs SQL as the superuser, not through the gateway; returns what the CLI prints."""
        done = self._ask(command, database)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self):
        end(self.process)
        shutil.rmtree(self.folder)


def cli(gateway, identity, user="orders_rw", command="SELECT 1", *words, password=None, database="orders", tls=True):
    """Runs a command with MariaDB's own client, which verifies the gateway's name, and returns the ended process."""
    options = ["mariadb", "--no-defaults", "-h", "localhost", "--protocol=tcp", "-P", str(gateway.port), "-u", user]
    if tls:
        options += [f"--ssl-ca={gateway.pki.ca.certificate}", "--ssl-verify-server-cert"]
        if identity is not None:
            options += [f"--ssl-cert={identity.certificate}", f"--ssl-key={identity.key}"]
    else:
        options += ["--skip-ssl"]
    options += [f"-p{user if password is None else password}", *words, "-BN", "-e", command]
    return subprocess.run([*options, database], capture_output=True, text=True, timeout=60)


def driver(gateway, identity, user="orders_rw", password=None, database="orders", host="localhost", **arguments):
    """A connection of PyMySQL, which verifies the gateway's name."""
    return pymysql.connect(
        host=host, port=gateway.port, user=user, password=user if password is None else password, database=database,
        ssl_ca=str(gateway.pki.ca.certificate), ssl_cert=str(identity.certificate), ssl_key=str(identity.key),
        ssl_verify_cert=True, ssl_verify_identity=True, connect_timeout=20, max_allowed_packet=64 << 20, **arguments)


def connector(gateway, identity, user="orders_rw", password=None, database="orders"):
    """A connection of mysql-connector-python, which verifies the gateway's name."""
    return mysql.connector.connect(
        host="localhost", port=gateway.port, user=user, password=password or user, database=database,
        ssl_ca=str(gateway.pki.ca.certificate), ssl_cert=str(identity.certificate), ssl_key=str(identity.key),
        ssl_verify_cert=True, ssl_verify_identity=True, use_pure=True)
