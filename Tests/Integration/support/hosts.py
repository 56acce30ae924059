"""A listener with several hosts, and clients that ask for one of them."""

import json
import ssl
import subprocess

from cryptography import x509

from .clients import dial, receive
from .gateway import BINARY
from .pki import PKI, SERVER

URI = "spiffe://acme.example/worker/orders"
POLICY = {
    "version": 1,
    "callers": [
        {"name": "blog/orders", "match": {"san_uri": URI, "trust_label": "blog"}},
        {"name": "shop/orders", "match": {"san_uri": URI, "trust_label": "shop"}},
        {"name": "own/orders", "match": {"san_uri": URI, "trust_label": {"present": False}}},
    ],
    "rules": [{"name": "anybody", "action": "allow"}],
}


class Hosts:
    """CAs by label, and a client of each with one and the same name."""

    def __init__(self, folder, own):
        self.blog_ca = PKI(folder / "blog", "Blog CA")
        self.shop_ca = PKI(folder / "shop", "Shop CA")
        self.blog_server = self.blog_ca.issue("server", [x509.DNSName("blog.example")], (SERVER,))
        self.clients = {
            "own": own.orders, "blog": self.blog_ca.worker("orders"), "shop": self.shop_ca.worker("orders")}

    @property
    def tls(self):
        """Keys of a listener's `tls`: a host with all of its own, and one that has its clients alone."""
        return {
            "hosts": [
                {"server_name": "blog.example", "certificate": str(self.blog_server.certificate),
                 "private_key": str(self.blog_server.key),
                 "client_ca": [{"label": "blog", "file": str(self.blog_ca.ca.certificate)}]},
                {"server_name": ["*.shop.example", "xn--bcher-kva.example"],
                 "client_ca": {"label": "shop", "file": str(self.shop_ca.ca.certificate)}},
            ]
        }


def context(identity, version=None, alpn=None):
    """A client that takes every server, so that the server alone decides."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if identity is not None:
        made.load_cert_chain(identity.certificate, identity.key)
    if version is not None:
        made.minimum_version = made.maximum_version = version
    if alpn is not None:
        made.set_alpn_protocols(alpn)
    return made


def ask(front, made, name, session=None):
    """Asks for a name; returns the server's certificate, or what ended the connection."""
    try:
        with dial(front.address) as raw, made.wrap_socket(
                raw, server_hostname=name, session=session, suppress_ragged_eofs=False) as stream:
            stream.sendall(b"ping")
            if receive(stream, 4) != b"ping":
                return None, "closed"
            return x509.load_der_x509_certificate(stream.getpeercert(True)), stream.session
    except OSError as problem:
        return None, getattr(problem, "reason", None) or type(problem).__name__


def s_client(front, *words, stdin="", timeout=20):
    """openssl s_client, to its end."""
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", *map(str, words)], input=stdin,
        capture_output=True, text=True, timeout=timeout)


def explain(front, identity, *words):
    """What explain says of a client, and its exit code."""
    done = subprocess.run(
        [BINARY, "explain", "--config", str(front.path), "--listener", "front", "--certificate",
         str(identity.certificate), "--format", "json", *words], capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


def check(front, code):
    """The findings of check."""
    done = subprocess.run(
        [BINARY, "check", "--format", "json", "--config", str(front.path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)["findings"]
