"""Keys of every kind in every kind of file: a listener's, a host's and those towards an upstream."""

import datetime
import hashlib
import json
import re
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import ocsp

from support.clients import connect, exchange
from support.hosts import check, s_client
from support.tls_upstreams import server_context, within_tls
from support.upstreams import echo

WORDS = "correct horse battery"
KINDS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.fixture(scope="module")
def identities(pki):
    """A server and a client of each kind of key."""
    uri = [x509.UniformResourceIdentifier("spiffe://acme.example/worker/orders")]
    return {kind: (pki.server(f"server-{kind}", key=make()), pki.issue(f"client-{kind}", uri, key=make()))
            for kind, make in KINDS.items()}


def private(path, data):
    path.write_bytes(data)
    path.chmod(0o600)
    return str(path)


def passphrase(folder, text=WORDS + "\n"):
    return private(folder / "passphrase", text.encode())


def stored(identity, form, folder):
    """The keys of a configuration for an identity in one form of file."""
    password = serialization.BestAvailableEncryption(WORDS.encode())
    name = f"{identity.key.stem}.{form}"
    if form == "plain":
        return {"certificate": str(identity.certificate), "private_key": str(identity.key)}
    keys = {"private_key_passphrase": passphrase(folder)}
    if form == "pkcs12":
        data = pkcs12.serialize_key_and_certificates(b"x", identity.private_key, identity.x509, None, password)
        return {**keys, "pkcs12": private(folder / name, data)}
    made = {"pbes2": serialization.PrivateFormat.PKCS8, "traditional": serialization.PrivateFormat.TraditionalOpenSSL}
    data = identity.private_key.private_bytes(serialization.Encoding.PEM, made[form], password)
    return {**keys, "certificate": str(identity.certificate), "private_key": private(folder / name, data)}


@pytest.mark.parametrize("kind, form", [
    ("p256", "plain"), ("p256", "pkcs12"), ("p384", "traditional"), ("p521", "pbes2"), ("ed25519", "pbes2"),
    ("ed25519", "plain"), ("rsa", "traditional"), ("rsa", "pkcs12"),
])
def test_a_key_serves_towards_clients_and_upstream(gateway, upstream, identities, pki, tmp_path, kind, form):
    server, client = identities[kind]
    seen = []

    def serve(stream):
        seen.append(stream.getpeercert(True))
        echo(stream)

    behind = upstream(within_tls(server_context(server, pki.ca.certificate), serve))
    back = {"name": "back", "address": behind.address,
            "tls": {"ca": str(pki.ca.certificate), "server_name": "localhost", **stored(client, form, tmp_path)}}
    gate = gateway(back, start=False)
    tls = gate.configuration["listeners"][0]["tls"]
    del tls["certificate"], tls["private_key"]
    tls.update(stored(server, form, tmp_path))
    gate.path.write_text(json.dumps(gate.configuration, indent=2))
    gate.start()
    assert exchange(gate, client) == b"ping"
    assert seen == [client.x509.public_bytes(serialization.Encoding.DER)]
    gate.stop()
    log = gate.log.read_text()
    assert WORDS not in log + gate.stderr()
    # A word that somebody has chosen is found again by its hash.
    for text in (WORDS, WORDS + "\n"):
        assert hashlib.sha256(text.encode()).hexdigest() not in log


def test_the_server_shows_what_the_client_can_verify(gateway, upstream, identities, pki):
    servers = [identities[kind][0] for kind in ("rsa", "p256", "ed25519")]
    gate = gateway(upstream().address, tls={
        "certificate": [str(s.certificate) for s in servers],
        # In another order: they are matched by what they are.
        "private_key": [str(s.key) for s in reversed(servers)]})
    cases = [
        (["-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"], "p256"),
        (["-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"], "rsa"),
        (["-tls1_3", "-sigalgs", "ed25519"], "ed25519"),
        (["-tls1_2", "-sigalgs", "ECDSA+SHA256"], "p256"),
        (["-tls1_2", "-sigalgs", "RSA+SHA256:RSA-PSS+SHA256"], "rsa"),
        (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "rsa"),
        # One that can do all of them gets the one that costs least.
        (["-tls1_3"], "p256"), (["-tls1_2"], "p256"),
    ]
    for words, kind in cases:
        done = s_client(gate, *words, "-showcerts", stdin="")
        shown = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.stdout, re.DOTALL)
        assert shown, done.stdout + done.stderr
        assert x509.load_pem_x509_certificate(shown[0].encode()) == identities[kind][0].x509, (words, kind)


@pytest.fixture
def told(gateway, tmp_path, pki):
    """What check says of a listener's, a host's and an upstream's keys alike: each time the code and its file."""

    def make(keys, severity="error"):
        codes = set()
        for place in ("listener", "host", "upstream"):
            back = {"name": "back", "address": "127.0.0.1:9"}
            front = gateway(back, start=False)
            tls = front.configuration["listeners"][0]["tls"]
            if place == "listener":
                del tls["certificate"], tls["private_key"]
                tls.update(keys)
            elif place == "host":
                tls["hosts"] = [{"server_name": "localhost", **keys}]
            else:
                back["tls"] = {"ca": str(pki.ca.certificate), **keys}
            front.path.write_text(json.dumps(front.configuration, indent=2))
            found = check(front, 2 if severity == "error" else 0)
            assert WORDS not in json.dumps(found)
            codes.add(tuple((f["code"], f["message"]) for f in found if f["severity"] == severity))
        [alike] = codes
        return alike

    return make


def test_wrong_passphrases_are_told(told, identities, tmp_path):
    server = identities["p256"][0]
    for form in ("pbes2", "traditional", "pkcs12"):
        keys = stored(server, form, tmp_path)
        passphrase(tmp_path, "wrong\n")
        [(code, message)] = told(keys)
        assert code == "passphrase-wrong" and message.startswith(keys["private_key_passphrase"]), message
        del keys["private_key_passphrase"]
        [(code, message)] = told(keys)
        assert code == "key-encrypted" and message.startswith(keys.get("pkcs12") or keys["private_key"])


@pytest.mark.parametrize("text, fault", [("", "is empty"), ("\n", "is empty"), ("a\nb\n", "more than one line"), ("a\0b", "more than")])
def test_a_passphrase_is_one_line(told, identities, tmp_path, text, fault):
    keys = stored(identities["p256"][0], "pbes2", tmp_path)
    passphrase(tmp_path, text)
    [(code, message)] = told(keys)
    assert code == "passphrase-malformed" and fault in message


def test_files_that_others_reach_are_refused(told, identities, tmp_path):
    server = identities["p256"][0]
    for form, file in (("pkcs12", "pkcs12"), ("pbes2", "private_key"), ("pbes2", "private_key_passphrase")):
        keys = stored(server, form, tmp_path)
        (tmp_path / keys[file].rsplit("/", 1)[1]).chmod(0o644)
        [(code, message)] = told(keys)
        assert code == "insecure-permissions" and keys[file] in message and "read by everyone" in message


def test_files_of_former_times_are_told_apart(told, identities, tmp_path):
    server = identities["rsa"][0]
    subprocess.run(
        ["openssl", "pkcs12", "-export", "-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-RC2-40",
         "-in", server.certificate, "-inkey", server.key, "-out", tmp_path / "old.p12", "-passout", f"pass:{WORDS}"],
        check=True, capture_output=True)
    (tmp_path / "old.p12").chmod(0o600)
    [(code, message)] = told({"pkcs12": str(tmp_path / "old.p12"), "private_key_passphrase": passphrase(tmp_path)})
    assert code == "pkcs12-legacy" and "40-bit RC2" in message


def test_two_certificates_of_one_type_are_an_error(told, identities):
    both = [identities["p256"][0], identities["p384"][0]]
    [(code, message)] = told({
        "certificate": [str(one.certificate) for one in both], "private_key": [str(one.key) for one in both]})
    assert code == "duplicate-key-type" and message.startswith(str(both[1].certificate))


def response(pki, leaf, *, age=3600, life=7200, issuer=None, status=ocsp.OCSPCertStatus.GOOD):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    begin = now - datetime.timedelta(seconds=age)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.x509, issuer=pki.ca.x509, algorithm=hashes.SHA1(), cert_status=status, this_update=begin,
        next_update=begin + datetime.timedelta(seconds=life), revocation_time=None, revocation_reason=None)
    signer = issuer or pki.ca
    made = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.x509).sign(signer.private_key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_responses_are_stapled(gateway, upstream, identities, pki, tmp_path):
    server, client = identities["p256"]
    rsa_server = identities["rsa"][0]
    chain = tmp_path / "chain.pem"
    chain.write_bytes(server.certificate.read_bytes() + pki.ca.certificate.read_bytes())
    file = tmp_path / "server.ocsp"
    tls = {"certificate": [str(chain), str(rsa_server.certificate)],
           "private_key": [str(server.key), str(rsa_server.key)], "ocsp_response": str(file)}
    show = lambda front, *words: s_client(
        front, "-status", "-cert", client.certificate, "-key", client.key, "-CAfile", pki.ca.certificate, *words,
        stdin="x\n").stdout

    file.write_bytes(response(pki, server))
    fresh = gateway(upstream().address, name="fresh", tls=tls)
    assert "OCSP Response Status: successful" in show(fresh) and "Cert Status: good" in show(fresh)
    assert "OCSP Response Status: successful" in show(fresh, "-tls1_2")
    # The other certificate has none.
    assert "OCSP response: no response sent" in show(fresh, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert check(fresh, 0) == []

    file.write_bytes(response(pki, server, age=7201))
    stale = gateway(upstream().address, name="stale", tls=tls)
    assert "OCSP response: no response sent" in show(stale)
    assert [f["code"] for f in check(stale, 0)] == ["response-stale"]
    assert exchange(stale, client) == b"ping"

    front = gateway("127.0.0.1:9", name="wrong", start=False, tls=tls)
    for data, code in [(b"x", "response-malformed"), (response(pki, client), "response-mismatch"),
                       (response(pki, server, issuer=client), "response-signature")]:
        file.write_bytes(data)
        assert [f["code"] for f in check(front, 2)] == [code]
