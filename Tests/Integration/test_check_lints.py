"""The advice of `countersign check`: each warning in one configuration, with its place; and none without a cause."""

import json
import subprocess

import pytest

from support.gateway import BINARY, POLICY
from support.pki import PKI


def findings(front, code=0):
    done = subprocess.run(
        [BINARY, "check", "--format", "json", "--config", str(front.path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)["findings"]


@pytest.fixture
def advice(gateway):
    """Checks a policy, and returns the codes with what was said."""

    def check(policy=POLICY, **tls):
        front = gateway("127.0.0.1:9", start=False, policy=policy, tls={k: str(v) for k, v in tls.items()})
        found = findings(front)
        for finding in found:
            assert finding["severity"] == "warning" and finding["hint"]
            assert finding["line"] > 0 and finding["column"] > 0
        return [(finding["code"], finding["message"]) for finding in found]

    return check


def with_rule(**rule):
    return {**POLICY, "rules": [*POLICY["rules"], {"name": "r", "action": "allow", **rule}]}


def test_a_good_configuration_needs_no_advice(advice):
    assert advice() == []


@pytest.mark.parametrize("code, policy", {
    "expired-rule": with_rule(expires="2020-01-01T00:00:00Z"),
    "contradiction": with_rule(when={"alpn": "h2"}, unless={"alpn": "h2"}),
    "impossible-value": with_rule(when={"tls_version": "TLSv1.3"}),
    "shadowed-rule": {**POLICY, "rules": [*POLICY["rules"], {"name": "no", "action": "deny", "callers": ["worker/*"]}]},
    "needless-pattern": with_rule(when={"alpn": {"regex": "h2"}}),
    "regex-dot": with_rule(when={"server_name": {"regex": "a.example"}}),
    "unreachable-caller": {**POLICY, "callers": [
        *POLICY["callers"], {"name": "orders", "match": {"san_uri": "spiffe://acme.example/worker/orders"}}]},
    "unknown-rule": {**POLICY, "tests": [
        {"name": "t", "given": {"san_uri": "x"}, "expect": "deny", "rule": "no-such"}]},
}.items())
def test_one_mistake_is_one_warning(advice, code, policy):
    assert [found for found, _ in advice(policy)] == [code]


def test_certificates_near_their_end(advice, pki, tmp_path):
    # A day of life: its last third is eight hours.
    near = pki.issue("near", usage=(), starts=-80000, ends=6400)
    done = advice(certificate=near.certificate, private_key=near.key)
    assert [code for code, _ in done] == ["certificate-expiring"] and "in less than 2 h" in done[0][1]
    past = pki.issue("past", usage=(), starts=-80000, ends=-1)
    assert [code for code, _ in advice(certificate=past.certificate, private_key=past.key)] == ["certificate-expired"]
    bundle = tmp_path / "anchors.pem"
    bundle.write_bytes(pki.ca.certificate.read_bytes() + past.certificate.read_bytes())
    [(odd, _), (code, message)] = advice(client_ca=bundle)
    assert odd == "anchor-not-ca"
    assert code == "certificate-expired" and message.startswith(f"{bundle}: the trust anchor")


def test_certificates_that_stand_in_the_wrong_place(advice, pki):
    [(code, message)] = advice(client_ca=pki.orders.certificate)
    assert code == "anchor-not-ca" and message.startswith(f"{pki.orders.certificate}: the trust anchor")
    done = advice(certificate=pki.ca.certificate, private_key=pki.ca.key)
    assert "certificate-of-ca" in [code for code, _ in done]


def test_what_a_listener_of_another_protocol_never_sees(advice):
    deny = {"name": "r", "action": "deny"}
    for when in ({"postgres_user": "admin"}, {"upstream": "bakc"}, {"trust_label": "x"}):
        rules = [*POLICY["rules"], {**deny, "when": when}]
        assert [code for code, _ in advice({**POLICY, "rules": rules})] == ["impossible-value"], when


def test_the_shared_authority_of_cloudflare_among_the_anchors(advice, pki, tmp_path):
    shared = PKI(tmp_path / "shared", "origin-pull.cloudflare.net")
    bundle = tmp_path / "anchors.pem"
    bundle.write_bytes(pki.ca.certificate.read_bytes() + shared.ca.certificate.read_bytes())
    anybody = {"version": 1, "callers": [{"name": "edge", "match": {"eku": "clientAuth"}}],
               "rules": [{"name": "in", "action": "allow"}]}
    assert advice(anybody) == []
    assert advice(client_ca=bundle) == []
    [(code, message)] = advice(anybody, client_ca=bundle)
    assert code == "shared-certificate" and "rule 'in'" in message and "'front'" in message and "'edge'" in message
