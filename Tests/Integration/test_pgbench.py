"""pgbench as it is, through the gateway and against the server's own TLS, in one run."""

import os
import re
import subprocess

import pytest

from support.postgres import POLICY, Postgres, conninfo

CLIENTS, TRANSACTIONS = 4, 250


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, pki):
    """A cluster that wants TLS over TCP, and takes the gateway over its Unix socket."""
    server = Postgres(tmp_path_factory.mktemp("pgbench") / "server", tls=pki.server("pgbench-server"))
    # The database's own owner may make pgbench's tables.
    server.sql("ALTER DATABASE orders OWNER TO orders_rw")
    yield server
    server.close()


@pytest.fixture
def front(gateway, cluster):
    return gateway(
        f"unix:{cluster.folder}/.s.PGSQL.{cluster.port}", policy=POLICY, listener={"protocol": "postgres"})


def pgbench(place, *words):
    done = subprocess.run(
        ["pgbench", *words, place], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PGPASSWORD": "secret"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def direct(cluster, pki):
    return (f"host=localhost hostaddr=127.0.0.1 port={cluster.port} user=orders_rw dbname=orders "
            f"sslmode=verify-full sslrootcert={pki.ca.certificate}")


@pytest.mark.parametrize("script", ["select-only", "tpcb-like"])
@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_every_transaction_comes_through(front, cluster, pki, script, protocol):
    through = conninfo(front, pki.orders)
    pgbench(through, "-i", "-q", "-s", "1")
    for place in (direct(cluster, pki), through):
        out = pgbench(
            place, "-n", "-b", script, "-M", protocol, "-c", str(CLIENTS), "-j", "1", "-t", str(TRANSACTIONS))
        total = CLIENTS * TRANSACTIONS
        assert f"number of transactions actually processed: {total}/{total}" in out, out
        assert re.search(r"number of failed transactions: 0 ", out), out
    assert len(front.wait_for("connection-allowed", count=CLIENTS + 1)) >= CLIENTS + 1
