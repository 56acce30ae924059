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


def never_dialled(gateway, redis, before):
    """Counts once the gateway has ended, when nothing can be dialled late."""
    gateway.stop()
    assert gateway.records("connection-allowed") == []
    assert connections(redis) == before + 1


def test_redis_answers_the_caller_that_may(gateway, redis, pki):
    front = gateway(redis.address)
    assert redis_cli(front, pki.orders, "SET", "greeting", "hello").stdout.strip() == "OK"
    assert redis_cli(front, pki.orders, "GET", "greeting").stdout.strip() == "hello"
    front.wait_for("connection-closed", count=2, reason="client_closed")


REFUSALS = [
    ("billing", "connection-denied", "default", None),
    ("unmapped", "connection-denied", "caller_unmapped", None),
    ("stranger", "handshake-failed", "certificate_untrusted", "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
    ("expired", "handshake-failed", "certificate_expired", "X509_V_ERR_CERT_HAS_EXPIRED"),
    ("early", "handshake-failed", "certificate_not_yet_valid", "X509_V_ERR_CERT_NOT_YET_VALID"),
    ("for_servers", "handshake-failed", "certificate_purpose", "X509_V_ERR_INVALID_PURPOSE"),
    (None, "handshake-failed", "certificate_missing", "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE"),
]


@pytest.mark.parametrize("client, action, reason, code", REFUSALS)
def test_redis_never_hears_of_the_others(gateway, redis, pki, client, action, reason, code):
    front = gateway(redis.address)
    before = connections(redis)
    answer = redis_cli(front, getattr(pki, client) if client else None, "PING")
    assert "PONG" not in answer.stdout
    assert answer.stderr or answer.returncode
    record = front.wait_for(action)[0]
    assert record["event"]["reason"] == reason
    assert record["event"]["outcome"] == "failure"
    assert record.get("error", {}).get("code") == code
    never_dialled(front, redis, before)


def test_a_name_with_a_control_character_is_refused_by_its_true_reason(gateway, redis, pki):
    odd = pki.issue(
        "odd", [x509.UniformResourceIdentifier("spiffe://acme.example/worker/orders")],
        subject=[(NameOID.COMMON_NAME, "orders\x00.evil.example")])
    front = gateway(redis.address)
    before = connections(redis)
    assert "PONG" not in redis_cli(front, odd, "PING").stdout
    record = front.wait_for("connection-denied", reason="name_unreadable")[0]
    assert record["countersign"]["detail"] == "subject: CN contains NUL"
    never_dialled(front, redis, before)


def test_the_benchmark_runs_for_who_may(gateway, redis, pki):
    front = gateway(redis.address)
    result = benchmark(front, pki.orders)
    assert result.returncode == 0, result.stderr
    rates = {line.split('","')[0].strip('"'): float(line.split('","')[1].strip('"'))
             for line in result.stdout.splitlines() if line.startswith(('"GET"', '"SET"'))}
    assert set(rates) == {"GET", "SET"} and min(rates.values()) > 0
    assert int(redis.command("DBSIZE")) == 1
    front.stop()
    closed = front.records("connection-closed")
    assert len(closed) == len(front.records("connection-allowed")) >= 20
    assert {record["event"]["reason"] for record in closed} == {"client_closed"}


@pytest.mark.parametrize("client, reason", [("billing", "default"), ("unmapped", "caller_unmapped")])
def test_the_benchmark_fails_for_who_may_not(gateway, redis, pki, client, reason):
    front = gateway(redis.address)
    before = connections(redis)
    assert benchmark(front, getattr(pki, client)).returncode != 0
    front.wait_for("connection-denied", reason=reason)
    never_dialled(front, redis, before)
