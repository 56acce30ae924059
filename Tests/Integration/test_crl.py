"""Revoked certificates, with CRLs that `openssl ca` made, at the running gateway, in `explain` and in `check`."""

import json
import ssl

import pytest

from support.clients import connect, exchange
from support.commands import run
from support.openssl_ca import OpenSSLCA
from support.pki import PKI

PAST = {"last": "20260101000000Z", "following": "20260102000000Z"}
FUTURE = {"last": "20990101000000Z", "following": "20990201000000Z"}


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    """A CA whose worker `orders` is not revoked and whose worker `billing` is."""
    made = PKI(tmp_path_factory.mktemp("crl-pki"), "Revoking CA")
    made.orders, made.billing = made.worker("orders"), made.worker("billing")
    made.other = PKI(tmp_path_factory.mktemp("crl-other"), "Other CA")
    made.twin = PKI(tmp_path_factory.mktemp("crl-twin"), "Revoking CA")
    made.database = OpenSSLCA(made.folder / "database", made.ca)
    made.database.revoke(made.billing)
    return made


def refused(front, identity):
    """Whether the handshake, or the first read behind it (TLS 1.3), ends with an alert."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with connect(front, identity) as stream:
            stream.recv(1)


def explain(front, identity, *words):
    done = run("explain", "--config", front.path, "--listener", "front", "--certificate", identity.certificate,
               "--format", "json", *words)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def front(gateway, upstream, trust):
    """Makes a gateway that trusts the CA, and its upstream."""

    def make(*crls, start=True, **tls):
        keys = {"client_ca": str(trust.ca.certificate), **tls}
        if crls:
            keys["client_crl"] = [str(path) for path in crls]
        made = gateway(upstream().address, start=start, tls=keys)
        made.upstream_count = lambda: len(made.records("connection-allowed"))
        return made

    return make


@pytest.mark.parametrize("der", [False, True], ids=["PEM", "DER"])
def test_a_revoked_client_is_refused_and_another_goes_on(front, trust, der):
    made = front(trust.database.crl(f"revoked-{der}.crl", der=der), crl_required=True)
    assert exchange(made, trust.orders) == b"ping"
    refused(made, trust.billing)
    [record] = made.wait_for("handshake-failed", reason="certificate_revoked")
    assert record["error"]["code"] == "X509_V_ERR_CERT_REVOKED"
    assert "CN=Revoking CA" in record["error"]["message"]
    assert record["tls"]["client"]["x509"]["serial_number"]
    assert made.upstream_count() == 1
    assert explain(made, trust.orders)["verification"]["ok"] is True
    said = explain(made, trust.billing)
    assert said["verdict"] == "deny" and said["reason"] == "certificate_revoked"
    assert said["verification"]["error"] == "X509_V_ERR_CERT_REVOKED" and said["verification"]["depth"] == 0


@pytest.mark.parametrize("times, tls, reason", [
    (PAST, {}, "crl_stale"),
    (PAST, {"crl_stale": "allow"}, None),
    (PAST, {"crl_stale": {"allow_for": "3650d"}}, None),
    (PAST, {"crl_stale": {"allow_for": "1h"}}, "crl_stale"),
    (FUTURE, {"crl_stale": "allow"}, "crl_stale"),
], ids=["deny", "allow", "allow for years", "allow for an hour", "future"])
def test_a_crl_outside_of_its_time(front, trust, times, tls, reason):
    name = f"{times['last']}-{json.dumps(tls).replace('/', '')}.crl"
    made = front(trust.database.crl(name, **times), start=False, **tls)
    said = explain(made, trust.orders)
    assert said["verification"]["ok"] is (reason is None)
    if reason:
        assert said["reason"] == reason
    # Who is revoked stays revoked.
    assert explain(made, trust.billing)["reason"] == "certificate_revoked"


def test_explain_asks_a_crl_at_the_time_that_is_asked_for(front, trust):
    made = front(trust.database.crl("at.crl", days=30), start=False)
    assert explain(made, trust.orders, "--at", "2099-01-01T00:00:00Z")["reason"] == "certificate_expired"
    assert explain(made, trust.orders)["verdict"] == "allow"


def test_a_ca_without_a_crl(front, trust):
    assert explain(front(start=False), trust.billing)["verification"]["ok"] is True
    said = explain(front(start=False, crl_required=True), trust.orders)
    assert said["reason"] == "crl_missing"
    assert said["verification"]["error"] == "X509_V_ERR_UNABLE_TO_GET_CRL"


@pytest.mark.parametrize("extensions, reason", [("users", "certificate_revoked"), ("partition", "crl_missing")])
def test_a_crl_that_speaks_of_a_part(front, trust, extensions, reason):
    made = front(trust.database.crl(f"{extensions}.crl", extensions=extensions), start=False)
    assert explain(made, trust.billing)["reason"] == reason


def finding(made, code, severity):
    done = run("check", "--config", made.path, "--format", "json")
    found = [each for each in json.loads(done.stdout)["findings"] if each["code"] == code]
    assert found, done.stdout
    assert found[0]["severity"] == severity and found[0]["line"] > 0 and found[0]["column"] > 0
    assert found[0]["hint"]
    assert done.returncode == (2 if severity == "error" else 0)
    return found[0]


def test_check_tells_what_is_wrong_with_a_crl(front, trust):
    good = trust.database.crl("good.crl")

    def told(code, severity, *crls, **tls):
        return finding(front(*crls, start=False, **tls), code, severity)

    broken = trust.folder / "broken.crl"
    broken.write_bytes(good.read_bytes()[:-20])
    text = trust.folder / "text.crl"
    text.write_text("no CRL\n")
    empty = trust.folder / "empty.crl"
    empty.write_bytes(b"")
    der = trust.database.crl("cut.crl", der=True)
    der.write_bytes(der.read_bytes()[:-1])
    other = OpenSSLCA(trust.folder / "other-database", trust.other.ca).crl()
    twin = OpenSSLCA(trust.folder / "twin-database", trust.twin.ca).crl()

    assert str(broken) in told("pem-broken", "error", good, broken)["message"]
    told("no-crl", "error", text)
    told("crl-malformed", "error", der)
    told("unexpected-block", "error", trust.ca.certificate)
    told("crl-delta", "error", trust.database.crl("delta.crl", extensions="delta"))
    told("crl-indirect", "error", trust.database.crl("indirect.crl", extensions="indirect"))
    told("crl-signature", "error", twin)
    assert "CN=Other CA" in told("crl-issuer-unknown", "warning", other)["message"]
    told("crl-stale", "warning", trust.database.crl("past.crl", **PAST))
    told("crl-not-yet-valid", "warning", trust.database.crl("future.crl", **FUTURE))
    assert "CN=Revoking CA" in told("crl-missing", "warning", crl_required=True)["message"]
    done = run("check", "--config", front(good, trust.folder / "none.crl", start=False).path)
    assert done.returncode == 2 and "none.crl: open: No such file" in done.stderr
    done = run("check", "--config", front(empty, start=False).path)
    assert done.returncode == 2 and "empty.crl is empty" in done.stderr
    done = run("check", "--strict", "--config", front(good, start=False).path)
    assert done.returncode == 0, done.stderr


def test_serve_does_not_start_with_a_crl_of_another_key(front, trust):
    twin = OpenSSLCA(trust.folder / "twin-serving", trust.twin.ca).crl()
    made = front(twin, start=False)
    done = run("serve", "--config", made.path)
    assert done.returncode == 2 and "crl-signature" in done.stderr + done.stdout


def test_what_a_listener_shares_with_its_hosts_is_told_once(front, trust):
    made = front(trust.ca.certificate, start=False, hosts=[
        {"server_name": "blog.example", "client_ca": str(trust.other.ca.certificate)}])
    done = run("check", "--config", made.path)
    assert done.returncode == 2
    assert done.stderr.count("expected X509 CRL only [unexpected-block]") == 1, done.stderr
