"""`countersign explain`: the same verdict, for the same reason, as the gateway gives."""

import json
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from support.clients import connect
from support.gateway import BINARY
from support.wait import wait_until

URI = "spiffe://acme.example/worker/"
POLICY = {
    "version": 1,
    "callers": [
        {"name": "worker/{worker}", "groups": ["workers"], "match": {"san_uri": URI + "{worker}"}},
        {"name": "device/{id}", "match": {"subject_cn": {"regex": "dev-(?<id>[0-9a-f]+)"}}},
    ],
    "rules": [
        {"name": "orders-may-connect", "action": "allow", "callers": ["worker/orders"],
         "when": {"server_name": "localhost"}, "unless": {"source_ip": "192.0.2.0/24"}},
        {"name": "no-devices", "action": "deny", "callers": ["device/*"]},
        {"name": "not-for-long", "action": "deny", "mode": "shadow", "when": {"valid_for": {"max": "365d"}}},
        {"name": "seen", "action": "log", "callers": ["group:workers"]},
    ],
}


def uri(*workers):
    return [x509.UniformResourceIdentifier(URI + worker) for worker in workers]


def cases(pki):
    """Certificates of every kind, by what is wrong with them."""
    common = lambda text: [(NameOID.COMMON_NAME, text)]
    return {
        "allowed": pki.orders, "no rule": pki.billing, "unmapped": pki.unmapped, "expired": pki.expired,
        "not yet valid": pki.early, "for servers": pki.for_servers, "other CA": pki.stranger,
        "denied": pki.issue("device", subject=common("dev-0a1b")),
        "ambiguous": pki.issue("two-workers", uri("orders", "billing")),
        "NUL in a name": pki.issue("nul", uri("orders"), subject=common("orders\x00evil")),
        "any purpose": pki.issue("no-eku", uri("orders"), usage=()),
        "self-made CA": pki.ca,
    }


KINDS = ["allowed", "no rule", "unmapped", "expired", "not yet valid", "for servers", "other CA", "denied",
         "ambiguous", "NUL in a name", "any purpose", "self-made CA"]


def explain(*words, code=None):
    done = subprocess.run([BINARY, "explain", *map(str, words)], capture_output=True, text=True, timeout=60)
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done


def explained(*words, code):
    return json.loads(explain(*words, "--format", "json", code=code).stdout)


@pytest.fixture
def front(gateway, upstream):
    return gateway(upstream().address, policy=POLICY)


@pytest.fixture
def idle(gateway):
    """A configuration that nobody serves, whose private key nobody can read."""
    front = gateway("127.0.0.1:9", start=False, policy=POLICY)
    front.configuration["listeners"][0]["tls"].update(private_key="/none/server.key", certificate="/none/server.pem")
    front.configuration["audit"] = {"path": "/none/audit.log"}
    front.path.write_text(json.dumps(front.configuration, indent=2))
    return front


def chain(front, identity):
    return ("--config", front.path, "--listener", "front", "--certificate", identity.certificate)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_gateway_does(front, pki, kind):
    identity = cases(pki)[kind]
    try:
        with connect(front, identity) as stream:
            stream.sendall(b"ping")
            stream.recv(4)
    except (OSError, ssl.SSLError):
        pass
    decided = lambda: [r for r in front.records() if r["event"]["action"] in
                       ("connection-allowed", "connection-denied", "handshake-failed")]
    [record] = wait_until(lambda: decided() or None, what=f"a verdict: {front.summary()}")
    own = record["countersign"]
    allowed = record["event"]["action"] == "connection-allowed"
    said = explained(
        *chain(front, identity), "--server-name", "LOCALHOST", "--source-ip", "127.0.0.1",
        "--at", record["@timestamp"], code=0 if allowed else 1)
    assert said["verdict"] == ("allow" if allowed else "deny")
    assert said["reason"] == record["event"]["reason"]
    assert said["caller"] == record.get("user", {}).get("name")
    assert said["groups"] == record.get("user", {}).get("roles", [])
    assert said["rule"] == record.get("rule", {}).get("name")
    if record["event"]["action"] == "handshake-failed":
        assert said["verification"]["ok"] is False and said["rules"] == []
        assert said["verification"]["error"] == record["error"]["code"]
        assert said["verification"]["depth"] == own["failure"]["depth"]
        assert said["verification"]["subject"] == own["failure"].get("subject")
    else:
        assert said["verification"] == {"ok": True, "error": None, "message": None, "depth": None, "subject": None}
        assert said["matched"] == own["matched"]
        assert said["shadow"]["verdict"] == own["shadow"]["verdict"]
        assert said["shadow"]["rule"] == own["shadow"].get("rule")
        # The same facts, save for what a handshake alone decides.
        assert said["facts"]["sha256"] == record["tls"]["client"]["hash"]["sha256"]
        assert said["facts"]["chain_length"] == own["facts"]["chain_length"]
        assert said["facts"]["root_sha256"] == own["facts"]["root_sha256"]

    # The same connection from its record.
    for id in (record["event"]["id"], own["connection"]["id"]):
        again = explained("--config", front.path, "--audit", front.log, "--id", id, code=0 if allowed else 1)
        assert again["differences"] == []
        for key in ("verdict", "reason", "caller", "rule", "matched", "shadow"):
            assert again[key] == said[key], key
    text = explain("--config", front.path, "--audit", front.log, "--id", record["event"]["id"]).stdout
    assert text.startswith("ALLOW: " if allowed else "DENY: ")
    assert "the present policies say the same" in text or "the handshake failed" in text


def test_a_recorded_connection_under_edited_policies(front, pki):
    with connect(front, pki.orders) as stream:
        stream.sendall(b"ping")
        assert stream.recv(4) == b"ping"
    closed = front.wait_for("connection-closed")[0]
    edited = json.loads(json.dumps(POLICY))
    edited["rules"][0]["callers"] = ["worker/billing"]
    (front.folder / "policy.yaml").write_text(json.dumps(edited))
    # By the record of its end, too.
    said = explained("--config", front.path, "--audit", front.log, "--id", closed["event"]["id"], code=1)
    assert said["recorded"]["verdict"] == "allow" and said["verdict"] == "deny"
    assert [d["what"] for d in said["differences"]] == ["verdict", "reason", "rule", "matched"]
    assert said["at"] == said["recorded"]["time"]
    later = explained(
        "--config", front.path, "--audit", front.log, "--id", closed["event"]["id"], "--at",
        "2060-01-01T00:00:00Z", code=1)
    assert later["at"] == "2060-01-01T00:00:00Z"
    done = explain("--config", front.path, "--audit", front.log, "--id", "nothing", code=2)
    assert "no record has 'nothing'" in done.stderr
    done = explain("--config", front.path, "--audit", "/none.log", "--id", "x", code=2)
    assert "/none.log" in done.stderr


def test_it_needs_no_key_and_opens_no_log(idle, pki):
    said = explained(*chain(idle, pki.orders), "--server-name", "localhost", code=0)
    assert said["rule"] == "orders-may-connect"
    assert said["unknown_fields"] == ["source_ip"]
    assert said["facts"]["upstream"] == "back" and said["facts"]["protocol"] == "tcp"


def test_any_moment_can_be_asked_for(idle, pki):
    end = pki.orders.x509.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S")
    asked = lambda at, code: explained(*chain(idle, pki.orders), "--server-name", "localhost", "--at", at, code=code)
    # notAfter is the last valid second, and fractions are floored.
    assert asked(f"{end}.999Z", 0)["verdict"] == "allow"
    assert asked("2100-01-01T00:00:00Z", 1)["reason"] == "certificate_expired"
    assert asked("2001-01-01T00:00:00+02:00", 1)["reason"] == "certificate_not_yet_valid"


def test_people_read_why(idle, pki):
    text = explain(*chain(idle, pki.billing), "--source-ip", "10.0.0.1", code=1).stdout
    assert text.startswith("DENY: default: no rule allows it\n")
    assert "callers: expected worker/orders, found worker/billing, group:workers" in text
    text = explain(*chain(idle, pki.orders), "--server-name", "localhost", "--source-ip", "192.0.2.1", code=1).stdout
    assert "unless.source_ip: expected not 192.0.2.0/24, found 192.0.2.1" in text


@pytest.mark.parametrize("content, code, reason", [
    ("no certificate", 2, None), ("", 2, None),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1, "certificate_malformed"),
    ("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 1, "certificate_malformed"),
])
def test_files_that_are_no_chain(idle, tmp_path, content, code, reason):
    (tmp_path / "chain.pem").write_text(content)
    done = explain("--config", idle.path, "--listener", "front", "--certificate", tmp_path / "chain.pem",
                   "--format", "json", code=code)
    if reason is None:
        assert "chain.pem: no PEM certificate" in done.stderr and done.stdout == ""
    else:
        said = json.loads(done.stdout)
        assert said["verdict"] == "deny" and said["reason"] == reason and said["verification"]["ok"] is False


@pytest.mark.parametrize("words, told", [
    (["--listener", "frnt"], "did you mean 'front'?"),
    (["--set", "postgres_usr=a"], "did you mean 'postgres_user'?"),
    (["--set", "source_port=x"], "expected a whole number"),
    (["--set", "san_uri=x"], "would not be this certificate"),
    (["--at", "yesterday"], "expected a time such as"),
    (["--source-ip", "10.0.0"], "expected an IPv4 or IPv6 address"),
    (["--server-name", "a b"], "no client can ask for such a host name"),
    (["--audit", "x"], "--audit and --id belong together"),
    (["--audit", "x", "--id", "y"], "has its facts from the log"),
    (["--format", "xml"], "xml"),
])
def test_wrong_usage_is_told(idle, pki, words, told):
    done = explain(*chain(idle, pki.orders), *words, code=64)
    assert told in done.stderr and done.stdout == ""


def test_what_cannot_be_read_is_told(idle, pki):
    assert "/none.pem" in explain(
        "--config", idle.path, "--listener", "front", "--certificate", "/none.pem", code=2).stderr
    assert "[unreadable-file]" in explain(*chain(idle, pki.orders)[2:], "--config", "/none.yaml", code=2).stderr
    (idle.folder / "policy.yaml").write_text('{"version": 1, "rule": []}')
    assert "[unknown-key]" in explain(*chain(idle, pki.orders), code=2).stderr
    assert [f["code"] for f in explained(*chain(idle, pki.orders), code=2)["findings"]] == ["missing-key", "unknown-key"]


def test_facts_of_the_protocol_can_be_set(idle, pki):
    policy = json.loads(json.dumps(POLICY))
    policy["rules"][0]["when"] = {"postgres_user": "{worker}_ro", "postgres_database": ["a", "b"]}
    (idle.folder / "policy.yaml").write_text(json.dumps(policy))
    said = explained(*chain(idle, pki.orders), "--set", "postgres_user=orders_ro", "--set", "postgres_database=b", code=0)
    assert said["facts"]["postgres_user"] == "orders_ro"
    said = explained(*chain(idle, pki.orders), "--set", "postgres_user=orders_rw", "--set", "postgres_database=b", code=1)
    [rule] = [rule for rule in said["rules"] if rule["name"] == "orders-may-connect"]
    assert rule["failed"] == {"field": "postgres_user", "expected": "orders_ro", "value": "orders_rw"}


def test_completions_know_the_listeners(idle):
    script = subprocess.run([BINARY, "--generate-completion-script", "bash"], capture_output=True, text=True, check=True)
    for word in ("explain", "test", "--require-coverage", "junit", "postgres_user="):
        assert word in script.stdout
    # As that script asks for them, word by word.
    asked = [BINARY, "---completion", "explain", "--", "--listener", "0", "0",
             "countersign", "explain", "--config", str(idle.path), "--listener", ""]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split() == ["front"]
