"""Everything at once, for a while: what is served is served whole, and nothing is left behind.

SOAK_SECONDS says for how long; Tests/Soak/run.sh makes half an hour of it.
"""

import os
import signal
import time

import pytest

from support.gateway import POLICY as WORKERS
from support.postgres import POLICY
from support.soak import At, Crew, Operator, churn, flood, half_open, hostile, queries, tolerant, transfer, vanish
from support.upstreams import Redis
from support.wait import wait_until

SECONDS = float(os.environ.get("SOAK_SECONDS", 30))
CALM = {
    **WORKERS,
    "rules": [
        *POLICY["rules"],
        {"name": "orders", "action": "allow", "callers": ["worker/orders"], "when": {"protocol": "tcp"}},
    ],
}
# Another caller comes and goes with the policy.
OTHER = {**CALM, "rules": [*CALM["rules"], {"name": "billing", "action": "allow", "callers": ["worker/billing"]}]}


class Killed:
    """A Redis that is killed now and then."""

    def __init__(self, folder):
        self.server = Redis(folder)
        self.folder = folder

    def strike(self, generator):
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait(10)
        time.sleep(generator.random())  # how long it is away
        self.server.start()

    def close(self):
        self.server.close()


@pytest.fixture
def killed(tmp_path):
    server = Killed(tmp_path)
    yield server
    server.close()


def crew(front, at, pki, operator, killed):
    made = Crew()
    made.work("connections", churn(front, pki.orders), 2)
    made.work("transfers", transfer(front, pki.orders), 2)
    made.work("queries", queries(at["database"], pki.orders), 1)
    made.work("resets", tolerant(vanish(front, pki.orders)), 1, 0.01)
    made.work("half-open", tolerant(half_open(at["brief"], pki.orders)), 3)
    made.work("hostile", tolerant(hostile(front, [None, pki.stranger, pki.expired, pki.unmapped, pki.billing])), 2, 0.01)
    made.work("floods", tolerant(flood(at["limited"])), 1, 0.1)
    made.work("before a killed upstream", tolerant(churn(at["killed"], pki.orders)), 1, 0.01)
    made.work("other caller", tolerant(churn(front, pki.billing)), 1, 0.05)
    made.work("killings", killed.strike, 1, 2)
    made.work("changes", operator.turn, 1, 0.5)
    return made


def test_nothing_is_left_behind(gateway, redis, postgres, killed, pki):
    front = gateway(
        redis.address, start=False, policy=CALM, workers=2, drain_timeout="2s",
        limits={"handshake_timeout": "2s", "max_handshakes": 64, "max_connections_per_caller": 200})
    front.configuration["upstreams"] += [
        {"name": "database", "address": postgres.address}, {"name": "killed", "address": killed.server.address}]
    at = {
        name: At(front, front.listen_also(name, **keys))
        for name, keys in {
            "database": {"upstream": "database", "protocol": "postgres"}, "killed": {"upstream": "killed"},
            "brief": {"limits": {"idle_timeout": "1s", "max_connection_age": "5s"}},
            "limited": {"limits": {"connection_rate_per_source": "20/s", "max_connections": 10}},
        }.items()}
    front.start()
    operator = Operator(front, [CALM, OTHER])
    descriptors = front.descriptors()

    def settled():
        return front.descriptors() == descriptors

    def phase(seconds):
        made = crew(front, at, pki, operator, killed)
        made.run(seconds)
        assert made.failures == []
        wait_until(settled, 30, f"the descriptors of the beginning ({descriptors}; now {front.descriptors()})")
        return made.done, front.memory()

    warm_up = max(8, min(120, SECONDS / 3))
    _, before = phase(warm_up)
    done, after = phase(SECONDS - warm_up)
    operator.rotate()
    print(
        f"\n{SECONDS:.0f} s: {done}\nrecords {operator.actions}\n"
        f"memory {before >> 10} KiB behind {warm_up:.0f} s, {after >> 10} KiB at the end; {descriptors} descriptors")
    assert operator.open == set(), "connections that never ended"
    assert operator.internal == []
    assert all(done.get(each) for each in ("connections", "transfers", "queries"))
    assert operator.actions["limit-reached"] > 0
    assert after - before < 4 << 20
