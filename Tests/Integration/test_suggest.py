"""`suggest`, and the loop from a log to a policy that is enforced."""

import json

import pytest
from cryptography import x509

from support.clients import exchange
from support.commands import report, run

LEARN = {
    "version": 1,
    "callers": [{"name": "anybody", "match": {"sha256": {"present": True}}}],
    "rules": [{"name": "learn", "action": "allow"}],
}


def identities(pki):
    return [
        pki.orders, pki.billing,
        pki.issue("braces", [x509.UniformResourceIdentifier("spiffe://acme.example/worker/{x}")]),
        pki.issue("star", [x509.DNSName("*.acme.example")]),
        pki.issue("plain", [x509.DNSName("db.acme.example")]),
    ]


@pytest.fixture
def learned(gateway, upstream, pki):
    """A gateway that let everybody in, and its log."""
    front = gateway(upstream().address, name="learning", policy=LEARN)
    for identity in identities(pki):
        assert exchange(front, identity) == b"ping"
    front.wait_for("connection-allowed", len(identities(pki)))
    front.stop()
    return front


def test_the_loop_from_a_log_to_an_enforced_policy(learned, gateway, upstream, pki, tmp_path):
    folder = tmp_path / "suggested"
    done = run("suggest", learned.log, "--output", folder)
    assert done.returncode == 0, done.stderr
    assert report("replay", "--policies", folder / "*.yaml", learned.log)["counts"]["changed"] == 0
    enforcing = gateway(upstream().address, name="enforcing", start=False)
    enforcing.configuration["policies"] = [str(folder / "*.yaml")]
    enforcing.path.write_text(json.dumps(enforcing.configuration))
    checked = run("check", "--strict", "--config", enforcing.path)
    assert checked.returncode == 0, checked.stderr
    enforcing.start()
    for identity in (pki.orders, pki.billing):
        assert exchange(enforcing, identity) == b"ping"
    for stranger in (pki.worker("mail"), pki.issue("sub", [x509.DNSName("x.acme.example")])):
        with pytest.raises((OSError, AssertionError)):
            assert exchange(enforcing, stranger) == b"ping"
    assert len(enforcing.wait_for("connection-denied", 2, reason="caller_unmapped")) == 2


def test_one_file_on_standard_output_is_always_the_same(learned):
    first, second = (run("suggest", learned.log, learned.log) for _ in range(2))
    assert first.returncode == 0 and first.stdout == second.stdout
    assert first.stdout.count("version: 1") == 1
    for key in ("callers:", "rules:", "tests:"):
        assert f"\n{key}" in first.stdout


def test_a_policy_file_among_the_logs_is_no_log(learned, tmp_path):
    policy = learned.folder / "policy.yaml"
    done = run("suggest", "--policies", policy, policy, learned.log)
    assert done.returncode == 2 and done.stdout == ""
    assert f"{policy} holds no record: is it a policy file? quote the glob, or repeat --policies" in done.stderr
    empty = tmp_path / "empty.log"
    empty.write_text("")
    assert run("suggest", empty, learned.log).returncode == 0


def test_what_is_there_is_not_written_over(learned, tmp_path):
    (tmp_path / "policy.yaml").write_text("mine")
    done = run("suggest", learned.log, "--output", tmp_path)
    assert done.returncode == 2 and "File exists" in done.stderr
    assert (tmp_path / "policy.yaml").read_text() == "mine"
    assert not (tmp_path / "tests.yaml").exists()


def test_generalised_as_asked(learned):
    done = run("suggest", learned.log, "--generalise", "san_uri")
    assert done.returncode == 0 and '"spiffe://acme.example/worker/{name}"' in done.stdout
    assert run("suggest", learned.log, "--generalise", "source_ip").returncode == 64


def test_denied_connections_count_where_the_shadow_rules_allow_them(gateway, upstream, pki, tmp_path):
    policy = {
        "version": 1,
        "callers": [{"name": "worker/{worker}", "match": {"san_uri": "spiffe://acme.example/worker/{worker}"}}],
        "rules": [{"name": "trial", "action": "allow", "mode": "shadow", "callers": ["worker/orders"]}],
    }
    front = gateway(upstream().address, policy=policy)
    for identity in (pki.orders, pki.billing):
        with pytest.raises((OSError, AssertionError)):
            assert exchange(front, identity) == b"ping"
    front.wait_for("connection-denied", 2)
    front.stop()
    nothing = run("suggest", front.log)
    assert nothing.returncode == 2 and "no connection to allow" in nothing.stderr
    kept = run(
        "suggest", front.log, "--include-shadow", "--policies", front.folder / "policy.yaml", "--output",
        tmp_path / "rules")
    assert kept.returncode == 0, kept.stderr
    text = (tmp_path / "rules" / "policy.yaml").read_text()
    assert '"worker/orders"' in text and "callers:\n  - name" not in text
    found = report(
        "replay", "--policies", front.folder / "policy.yaml", "--policies", tmp_path / "rules" / "*.yaml",
        front.log, expected=1)
    assert [(one["old"]["caller"], one["new"]["verdict"]) for one in found["cases"]] == [("worker/orders", "allow")]
