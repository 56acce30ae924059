#!/usr/bin/env python3
"""pgbench through the gateway against PostgreSQL's own TLS, by turns in one run: transactions a second, processor time a
transaction, and their ratios. Shared machines make single figures worthless; the ratios of several rounds are what counts.

    swift build -c release --product countersign
    COUNTERSIGN="$(swift build -c release --show-bin-path)/countersign" \
      .build-venv/bin/python Tests/Benchmarks/postgres.py [ROUNDS] [SECONDS]

Needs what Tests/run.sh installs.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Integration"))
from support.gateway import Gateway
from support.pki import PKI
from support.postgres import POLICY, Postgres, conninfo
from support.wait import wait_until

rounds, seconds = (int(word) for word in (sys.argv[1:] + ["5", "5"][len(sys.argv) - 1:])[:2])
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pids):
    """User and system time that processes have used so far."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        # With their ended children: a server's backends.
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def backends(postmaster):
    """Those of the role that pgbench uses: their time counts for the postmaster once it has reaped them."""
    done = subprocess.run(["pgrep", "-P", str(postmaster), "-f", "orders_rw"], capture_output=True, text=True)
    return done.stdout.split()


def pgbench(place, *words):
    done = subprocess.run(
        ["pgbench", "-n", *words, place], capture_output=True, text=True, check=True,
        env={**os.environ, "PGPASSWORD": "secret"})
    return done.stdout


def measure(place, pids):
    before = processor_seconds(pids)
    out = pgbench(place, "-S", "-M", "prepared", "-c", "8", "-j", "1", "-T", str(seconds))
    wait_until(lambda: not backends(pids[0]), what="the end of the backends")
    spent = processor_seconds(pids) - before
    count = int(re.search(r"actually processed: (\d+)", out)[1])
    rate = float(re.search(r"tps = ([\d.]+) \(without", out)[1])
    return rate, spent / count * 1e6


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    pki = PKI(folder / "pki")
    server = Postgres(folder / "server", tls=pki.server("database"))
    gate = Gateway(
        folder / "gateway", pki, f"unix:{server.folder}/.s.PGSQL.{server.port}", policy=POLICY,
        listener={"protocol": "postgres"}, workers=1).start()
    try:
        server.sql("ALTER DATABASE orders OWNER TO orders_rw")
        through = conninfo(gate, pki.worker("orders"))
        direct = (f"host=localhost hostaddr=127.0.0.1 port={server.port} user=orders_rw dbname=orders "
                  f"sslmode=verify-full sslrootcert={pki.ca.certificate}")
        pgbench(direct, "-i", "-q", "-s", "5")
        ratios = []
        for number in range(rounds):
            alone = measure(direct, [server.process.pid])
            both = measure(through, [server.process.pid, gate.pid])
            ratios.append((both[0] / alone[0], both[1] / alone[1]))
            print(f"round {number + 1}: direct {alone[0]:.0f} tps {alone[1]:.1f} us, through the gateway "
                  f"{both[0]:.0f} tps {both[1]:.1f} us (server and gateway)")
        print(f"median ratio, gateway to direct: {statistics.median(r[0] for r in ratios):.2f} of the transactions, "
              f"{statistics.median(r[1] for r in ratios):.2f} of the processor time each")
        gate.stop()
    finally:
        gate.kill()
        server.close()
