"""Pins of a certificate or of its key add to the verification of the chain, and never stand in for it."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization

from support.clients import exchange
from support.commands import run
from support.openssl_ca import OpenSSLCA
from support.pki import PKI


def digest(der):
    """As tools print it: capitals and colons."""
    return hashlib.sha256(der).hexdigest().upper()


def pins(identity):
    certificate = identity.x509.public_bytes(serialization.Encoding.DER)
    key = identity.x509.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"sha256": digest(certificate), "spki_sha256": digest(key)}


def pinned(*matches):
    return {
        "version": 1,
        "callers": [{"name": f"pinned/{n}", "match": match} for n, match in enumerate(matches)],
        "rules": [{"name": "pinned-may-connect", "action": "allow", "callers": ["pinned/*"]}],
    }


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    made = PKI(tmp_path_factory.mktemp("pins"), "Pinning CA")
    made.good, made.revoked, made.another = made.worker("good"), made.worker("revoked"), made.worker("another")
    made.expired = made.worker("expired", starts=-7200, ends=-3600)
    made.stranger = PKI(tmp_path_factory.mktemp("pins-other"), "Other CA").worker("stranger")
    database = OpenSSLCA(made.folder / "database", made.ca)
    database.revoke(made.revoked)
    made.crl = database.crl()
    return made


@pytest.mark.parametrize("field", ["sha256", "spki_sha256"])
def test_a_pin_lets_in_nobody_whose_chain_is_not_verified(gateway, upstream, trust, field):
    everyone = ("good", "revoked", "expired", "stranger")
    policy = pinned(*({field: pins(getattr(trust, name))[field]} for name in everyone))
    front = gateway(
        upstream().address, policy=policy,
        tls={"client_ca": str(trust.ca.certificate), "client_crl": str(trust.crl)})

    def said(name):
        done = run("explain", "--config", front.path, "--listener", "front", "--format", "json", "--certificate",
                   getattr(trust, name).certificate)
        return json.loads(done.stdout)

    assert exchange(front, trust.good) == b"ping"
    assert said("good")["caller"] == "pinned/0"
    assert {name: said(name)["reason"] for name in (*everyone[1:], "another")} == {
        "revoked": "certificate_revoked", "expired": "certificate_expired", "stranger": "certificate_untrusted",
        "another": "caller_unmapped"}
    assert said("stranger")["verdict"] == "deny"


def test_a_pin_in_base64_is_refused_with_the_digits_to_write(gateway, trust):

    key = bytes.fromhex(pins(trust.good)["spki_sha256"])
    policy = pinned({"spki_sha256": "sha256//" + base64.b64encode(key).decode()})
    done = run("check", "--config", gateway("127.0.0.1:9", start=False, policy=policy).path)
    assert done.returncode == 2 and f"which is {key.hex()}" in done.stderr
