"""CRLs, intermediates, sessions and passphrases while the gateway runs: what was verified is verified again."""

import datetime
import ssl
import subprocess
import time

import pytest

from support.clients import connect
from support.live import BOTH, alive, allow, ended, with_rules
from support.openssl_ca import OpenSSLCA
from support.pki import PKI
from support.wait import wait_until

from test_resumption import ONE, TLS12, TLS13, Client


@pytest.fixture
def trust(tmp_path):
    made = PKI(tmp_path / "revoking", "Revoking CA")
    made.orders, made.billing = made.worker("orders"), made.worker("billing")
    made.database = OpenSSLCA(made.folder / "database", made.ca)
    return made


def stamp(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


def listener(trust, crl, **keys):
    return {"client_ca": str(trust.ca.certificate), "client_crl": str(crl), **keys}


def test_a_new_crl_ends_whom_it_revokes(gateway, upstream, trust):
    crl = trust.database.crl()
    front = gateway(upstream().address, policy=BOTH, tls=listener(trust, crl))
    with connect(front, trust.orders) as orders, connect(front, trust.billing) as billing:
        assert alive(orders) and alive(billing)
        trust.database.revoke(trust.billing)
        front.write(crl, trust.database.crl("next.crl").read_bytes())
        front.followed()
        assert ended(billing) and alive(orders)
        record = front.wait_for("connection-revoked", reason="crl_changed")[0]
        assert record["user"]["name"] == "worker/billing"
        assert "X509_V_ERR_CERT_REVOKED" in record["countersign"]["change"]
        # A new session of the same client, which the verification cache knew, is refused as well.
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with connect(front, trust.billing) as again:
                again.recv(1)
        front.wait_for("handshake-failed", reason="certificate_revoked")
        assert alive(orders)


@pytest.mark.parametrize("stale, survives", [("deny", False), ({"allow_for": "1h"}, True)], ids=["deny", "allow for"])
def test_a_crl_that_becomes_too_old_ends_connections_at_its_moment(gateway, upstream, trust, stale, survives):
    end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=5)
    crl = trust.database.crl(last=stamp(end - datetime.timedelta(days=1)), following=stamp(end))
    front = gateway(upstream().address, tls=listener(trust, crl, crl_stale=stale))
    with connect(front, trust.orders) as stream:
        assert alive(stream)
        if survives:
            while time.time() < end.timestamp() + 1.5:
                assert alive(stream)
            return
        assert ended(stream)
        assert 0 < time.time() - end.timestamp() < 2.0  # nextUpdate is the last second that it is good for
    front.wait_for("connection-revoked", reason="crl_stale")


def test_who_asks_hears_what_has_become_too_old(gateway, upstream, trust):
    server = trust.server("short", ends=3)
    end = server.x509.not_valid_after_utc
    crl = trust.database.crl(last=stamp(end - datetime.timedelta(days=1)), following=stamp(end))
    front = gateway(upstream().address, tls=listener(
        trust, crl, certificate=str(server.certificate), private_key=str(server.key)))
    found = ("[certificate-expired]", "[crl-stale]")
    assert not any(code in front.stderr() for code in found)
    wait_until(lambda: time.time() > end.timestamp() + 1, what="the end of certificate and CRL")
    front.reload("countersign: reload: nothing has changed")
    assert [front.stderr().count(code) for code in found] == [1, 1], front.stderr()


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
def test_no_session_outlives_the_configuration(gateway, upstream, pki, version):
    front = gateway(upstream().address, **ONE)
    client = Client(front, pki.orders, version)
    assert [client.visit() for _ in range(2)] == [False, True]
    front.write(front.policy, with_rules(allow("orders"), allow("billing")))
    front.reload()
    assert [client.visit() for _ in range(2)] == [False, True]


def test_a_passphrase_that_comes_behind_its_key_is_seen(gateway, upstream, pki, own_files):
    key, words = own_files["key"], own_files["key"].with_name("words")

    def encrypted(passphrase):
        return subprocess.run(
            ["openssl", "pkey", "-in", plain, "-aes256", "-passout", f"pass:{passphrase}"], check=True,
            capture_output=True, timeout=60).stdout

    plain = key.rename(key.with_name("plain.key"))
    key.write_bytes(encrypted("erstes-wort"))
    words.write_text("erstes-wort\n")
    for file in (key, words):
        file.chmod(0o600)
    front = gateway(upstream().address, tls={**own_files["tls"], "private_key_passphrase": str(words)})
    with connect(front, pki.orders) as stream:
        front.write(key, encrypted("zweites-wort"))
        front.wait_for("configuration-rejected")
        front.write(words, "zweites-wort\n")
        # The files are what they were, but for what the log does not tell.
        front.wait_for("configuration-loaded", 2)
        assert alive(stream)
    said = front.log.read_text() + front.stderr()
    assert "-wort" not in said


def test_a_label_that_changes_takes_its_callers_along(gateway, upstream, pki):
    bound = {**BOTH, "callers": [
        {"name": "worker/{worker}", "match": {"san_uri": "spiffe://acme.example/worker/{worker}", "trust_label": "ours"}}]}
    front = gateway(upstream().address, policy=bound,
                    tls={"client_ca": [{"label": "ours", "file": str(pki.ca.certificate)}]})
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        front.configuration["listeners"][0]["tls"]["client_ca"][0]["label"] = "theirs"
        front.write(front.path, front.configuration)
        front.reload()
        assert ended(stream)
    record = front.wait_for("connection-revoked")[0]
    assert record["countersign"]["change"] == "the certificate is not mapped to a caller any more"
    assert record["event"]["reason"] == "policy_changed"
