"""A real Redis behind the gateway, with its own tools as clients."""

import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID


def tls(gateway, identity):
    """Options of redis-cli and redis-benchmark."""
    options = ["-h", "127.0.0.1", "-p", str(gateway.port), "--tls", "--cacert", str(gateway.pki.ca.certificate)]
    if identity is not None:
        options += ["--cert", str(identity.certificate), "--key", str(identity.key)]
    return options


def redis_cli(gateway, identity, *words):
    return subprocess.run(
        ["redis-cli", *tls(gateway, identity), *words], capture_output=True, text=True, timeout=20)


def benchmark(gateway, identity):
    return subprocess.run(
        ["redis-benchmark", *tls(gateway, identity), "-n", "20000", "-c", "20", "-t", "get,set", "--csv"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def connections(redis):
    """How many connections Redis has ever received, that of this question included."""
    lines = dict(line.split(":", 1) for line in redis.command("INFO", "stats").splitlines() if ":" in line)
    return int(lines["total_connections_received"])


def test_redis_answers_the_caller_that_may(gateway, redis, pki):
    front = gateway(redis.address)
    assert redis_cli(front, pki.orders, "SET", "greeting", "hello").stdout.strip() == "OK"
    assert redis_cli(front, pki.orders, "GET", "greeting").stdout.strip() == "hello"
    front.wait_for("connection-closed", count=2, reason="client_closed")


@pytest.mark.parametrize("client", ["billing", "unmapped", "stranger", "expired", "early", "for_servers", None])
def test_redis_never_hears_of_the_others(gateway, redis, pki, client):
    front = gateway(redis.address)
    before = connections(redis)
    answer = redis_cli(front, getattr(pki, client) if client else None, "PING")
    assert "PONG" not in answer.stdout
    assert answer.stderr or answer.returncode
    refusals = front.wait_for("connection-denied" if client in ("billing", "unmapped") else "handshake-failed")
    assert refusals[0]["event"]["outcome"] == "failure"
    assert connections(redis) == before + 1


def test_a_name_with_a_control_character_is_refused_by_its_true_reason(gateway, redis, pki):
    odd = pki.issue(
        "odd", [x509.UniformResourceIdentifier("spiffe://acme.example/worker/orders")],
        subject=[(NameOID.COMMON_NAME, "orders\x00.evil.example")])
    front = gateway(redis.address)
    before = connections(redis)
    assert "PONG" not in redis_cli(front, odd, "PING").stdout
    record = front.wait_for("connection-denied", reason="name_unreadable")[0]
    assert record["countersign"]["detail"] == "subject: CN contains NUL"
    assert connections(redis) == before + 1


def test_the_benchmark_runs_at_full_rate_for_who_may(gateway, redis, pki):
    front = gateway(redis.address)
    result = benchmark(front, pki.orders)
    assert result.returncode == 0, result.stderr
    rates = {line.split('","')[0].strip('"'): float(line.split('","')[1].strip('"'))
             for line in result.stdout.splitlines() if line.startswith(('"GET"', '"SET"'))}
    assert set(rates) == {"GET", "SET"} and min(rates.values()) > 0
    assert int(redis.command("DBSIZE")) == 1


@pytest.mark.parametrize("client, reason", [("billing", "default"), ("unmapped", "caller_unmapped")])
def test_the_benchmark_fails_for_who_may_not(gateway, redis, pki, client, reason):
    front = gateway(redis.address)
    before = connections(redis)
    assert benchmark(front, getattr(pki, client)).returncode != 0
    front.wait_for("connection-denied", reason=reason)
    assert connections(redis) == before + 1
