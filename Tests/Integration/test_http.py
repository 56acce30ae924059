"""A real HTTP server behind the gateway, curl and openssl before it."""

import hashlib
import http.server
import os
import subprocess
import sys

import pytest


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /N gives N bytes; POST answers with the SHA-256 of what was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        count = int(self.path.strip("/") or 0)
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        block = bytes(range(256)) * 256
        while count > 0:
            self.wfile.write(block[:count])
            count -= len(block)

    def do_POST(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            digest.update(piece)
            left -= len(piece)
        self.send_response(200)
        body = digest.hexdigest().encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    """The server above as a process of its own, so that it shares no interpreter with the tests."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    yield f"127.0.0.1:{process.stdout.readline().strip()}"
    process.terminate()
    process.wait(10)
    process.stdout.close()


def curl(gateway, identity, path, *options):
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "60", "--cacert", gateway.pki.ca.certificate,
         "--cert", identity.certificate, "--key", identity.key, *options, f"https://localhost:{gateway.port}/{path}"],
        capture_output=True, timeout=90)


def s_client(gateway, identity, *options):
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", gateway.pki.ca.certificate,
         "-cert", identity.certificate, "-key", identity.key, *options],
        input=b"", capture_output=True, timeout=20)


@pytest.mark.parametrize("size", [0, 1, 16_384, 10_000_000, 100_000_000])
def test_bodies_come_down_whole(gateway, web, pki, size):
    result = curl(gateway(web), pki.orders, str(size))
    assert result.returncode == 0, result.stderr
    expected = (bytes(range(256)) * (size // 256 + 1))[:size]
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(expected).digest()


@pytest.mark.parametrize("size", [1, 10_000_000, 100_000_000])
def test_bodies_go_up_whole(gateway, web, pki, tmp_path, size):
    body = os.urandom(min(size, 1_000_000)) * max(1, size // 1_000_000)
    (tmp_path / "body").write_bytes(body)
    result = curl(gateway(web), pki.orders, "", "--data-binary", f"@{tmp_path}/body", "-H", "Expect:")
    assert result.stdout.decode() == hashlib.sha256(body).hexdigest(), result.stderr


def test_a_refused_client_gets_no_body(gateway, web, pki):
    front = gateway(web)
    result = curl(front, pki.billing, "10")
    assert result.returncode != 0 and result.stdout == b""
    front.wait_for("connection-denied")


@pytest.mark.parametrize("version, number", [("--tlsv1.2", "1.2"), ("--tlsv1.3", "1.3")])
def test_tls_versions_that_are_spoken(gateway, web, pki, version, number):
    front = gateway(web)
    assert curl(front, pki.orders, "5", version, "--tls-max", number).returncode == 0
    record = front.wait_for("connection-allowed")[0]
    assert record["tls"]["version"] == number
    assert record["tls"]["cipher"].startswith("TLS_")


@pytest.mark.parametrize("tls, option", [
    ({}, "-tls1_1"), ({"min_version": "1.2"}, "-tls1_1"), ({"min_version": "1.3"}, "-tls1_2")])
def test_tls_versions_that_are_refused(gateway, web, pki, tls, option):
    front = gateway(web, tls=tls)
    assert s_client(front, pki.orders, option, "-cipher", "ALL:@SECLEVEL=0").returncode != 0
    record = front.wait_for("handshake-failed", reason="tls_protocol")[0]
    assert record["error"]["code"] == "SSL_R_UNSUPPORTED_PROTOCOL"


def test_static_rsa_and_cbc_are_refused(gateway, web, pki):
    front = gateway(web)
    answer = s_client(front, pki.orders, "-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    assert answer.returncode != 0
    assert front.wait_for("handshake-failed")[0]["error"]["code"] == "SSL_R_NO_SHARED_CIPHER"


@pytest.mark.parametrize("offered, agreed", [("redis,h2", "h2"), ("h2", "h2"), ("http/1.1,h2", "http/1.1")])
def test_the_first_of_ours_that_the_client_names_is_spoken(gateway, web, pki, offered, agreed):
    front = gateway(web, tls={"alpn": ["http/1.1", "h2"]})
    assert f"ALPN protocol: {agreed}".encode() in s_client(front, pki.orders, "-alpn", offered).stdout
    assert front.wait_for("connection-allowed")[0]["tls"]["next_protocol"] == agreed


@pytest.mark.parametrize("options", [["-alpn", "redis"], []])
def test_a_client_that_names_none_of_ours_is_refused(gateway, web, pki, options):
    front = gateway(web, tls={"alpn": ["h2"]})
    answer = s_client(front, pki.orders, *options)
    assert answer.returncode != 0
    assert b"no application protocol" in answer.stderr
    record = front.wait_for("handshake-failed", reason="tls_protocol")[0]
    assert record["error"]["code"] == "SSL_R_NO_APPLICATION_PROTOCOL"
    assert front.records("connection-allowed") == []


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
