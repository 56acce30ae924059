"""Clients with certificates that were made to hurt. As a program of its own it connects with each of them in turn:

    python -m support.hostile_chains PORT FOLDER ROUNDS
"""

import datetime
import os
import pathlib
import socket
import ssl
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

# What each of them must be refused for.
REASONS = {
    "too many certificates": "chain_too_long",
    "too many bytes": "chain_too_long",
    "huge key": "certificate_invalid",
    "names without end": "certificate_invalid",
    "stranger": "certificate_untrusted",
    "expired": "certificate_expired",
    "broken DER": "certificate_malformed",
    "garbage": "tls_protocol",
    "half a handshake": "client_closed",
}
CHAINS = [kind for kind in REASONS if kind not in ("broken DER", "garbage", "half a handshake")]


def _pem(*certificates):
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, public_key, issuer, signer, *extensions, critical=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(issuer).public_key(public_key)
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1)))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def write(folder, pki):
    """The chains as files: what a client sends, and its key."""
    folder.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    # A modulus of that size costs whoever verifies with it, prime factors or not.
    modulus = int.from_bytes(os.urandom(2048), "big") | 1 << 16383 | 1
    huge = _certificate("huge", rsa.RSAPublicNumbers(65537, modulus).public_key(), _name("huge"), key)
    names = [x509.DNSName(f"host-{number}.example.net") for number in range(1100)]
    authority = _certificate(
        "constrained", key.public_key(), pki.ca.x509.subject, pki.ca.private_key,
        x509.BasicConstraints(ca=True, path_length=None), x509.NameConstraints(names, None), critical=True)
    constrained = _certificate(
        "many", key.public_key(), _name("constrained"), key, x509.SubjectAlternativeName(names))
    fat = _certificate(
        "fat", key.public_key(), _name("fat"), key,
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), bytes(66_000)))
    leaf, leaf_key = pki.orders.x509, pki.orders.private_key
    chains = {
        "too many certificates": (_pem(*[leaf] * 12), leaf_key),
        "too many bytes": (_pem(leaf, fat), leaf_key),
        "huge key": (_pem(leaf, huge), leaf_key),
        "names without end": (_pem(constrained, authority), key),
        "stranger": (_pem(pki.stranger.x509), pki.stranger.private_key),
        "expired": (_pem(pki.expired.x509), pki.expired.private_key),
        "broken DER": (_pem(leaf), leaf_key),
    }
    for kind, (chain, private_key) in chains.items():
        text = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{kind}.pem").write_bytes(chain + text)


def _context(folder, kind):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.load_cert_chain(folder / f"{kind}.pem")
    return made


def _read_away(stream):
    try:
        while stream.recv(65536):
            pass
    except OSError:
        pass


def _present(address, context):
    with socket.create_connection(address, timeout=10) as raw:
        try:
            # In TLS 1.3 the refusal comes once the client is done.
            _read_away(context.wrap_socket(raw, server_hostname="localhost"))
        except OSError:
            pass


def _present_broken(address, context, der):
    """TLS 1.2 sends certificates in the clear, where they can be spoilt."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(address, timeout=10) as raw:
        for _ in range(8):
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return
            flight = bytearray(outgoing.read())
            at = flight.find(der[:16])
            if at >= 0:
                flight[at + 4] ^= 1
            raw.sendall(flight)
            answer = raw.recv(65536)
            if not answer:
                return
            incoming.write(answer)


def _send(address, data):
    with socket.create_connection(address, timeout=10) as raw:
        raw.sendall(data)
        if data[0] != 0x16:
            _read_away(raw)


def hello(folder):
    """The first flight of a client."""
    outgoing = ssl.MemoryBIO()
    session = _context(folder, "stranger").wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def main(port, folder, rounds):
    address, folder = ("127.0.0.1", int(port)), pathlib.Path(folder)
    contexts = {kind: _context(folder, kind) for kind in [*CHAINS, "broken DER"]}
    der = x509.load_pem_x509_certificates((folder / "broken DER.pem").read_bytes())[0].public_bytes(Encoding.DER)
    for _ in range(int(rounds)):
        for kind in CHAINS:
            _present(address, contexts[kind])
        _present_broken(address, contexts["broken DER"], der)
        _send(address, struct.pack("!ii", 8, 80877103) + os.urandom(512))
        _send(address, hello(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
