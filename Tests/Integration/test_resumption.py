"""Sessions that clients come back with: verified, judged and recorded like any other connection."""

import json
import re
import socket
import ssl
import subprocess

import pytest

from support.clients import connect, context
from support.gateway import POLICY, free_port
from support.pki import PKI
from support.wait import wait_until

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
# One worker: sessions are a worker's own.
ONE = {"workers": 1}


class Client:
    """A client that comes back with the session that it got last."""

    def __init__(self, front, identity, version, options=0):
        self.front = front
        self.context = context(front.pki, identity, minimum=version, maximum=version)
        self.context.options |= options
        self.context.check_hostname = False
        self.session = None

    def visit(self, name="localhost"):
        """Asks once; whether it came back with a session."""
        raw = socket.create_connection(self.front.address, timeout=20)
        with self.context.wrap_socket(raw, server_hostname=name, session=self.session) as stream:
            stream.sendall(b"ping")
            if stream.recv(4) != b"ping":
                raise ConnectionError("the gateway has ended the connection")
            self.session = stream.session
            return stream.session_reused


def facts(record):
    """What a record says of TLS and of the certificate."""
    return record["tls"], record["user"], record["countersign"]["facts"]


def write(front):
    front.path.write_text(json.dumps(front.configuration, indent=2))


@VERSIONS
def test_a_resumed_connection_is_recorded_with_all_its_facts(gateway, upstream, pki, version):
    front = gateway(upstream().address, **ONE)
    client = Client(front, pki.orders, version)
    assert [client.visit() for _ in range(3)] == [False, True, True]
    records = front.wait_for("connection-allowed", 3)
    assert [record["tls"].pop("resumed") for record in records] == [False, True, True]
    assert facts(records[0]) == facts(records[1]) == facts(records[2])
    assert records[0]["tls"]["client"]["x509"]["alternative_names"]
    front.wait_for("connection-closed", 3, reason="client_closed")


@VERSIONS
def test_openssl_comes_back_with_a_session_of_a_file(gateway, upstream, pki, tmp_path, version):
    front = gateway(upstream().address, **ONE)
    stored = tmp_path / "session"

    def s_client(*options):
        with subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", "-servername", "localhost",
             "-cert", pki.orders.certificate, "-key", pki.orders.key, "-CAfile", pki.ca.certificate,
             "-tls1_2" if version == TLS12 else "-tls1_3", "-quiet", "-no_ign_eof", "-sess_out", stored, *options],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            process.stdin.write(b"hello\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"hello\n"
            process.stdin.close()

    s_client()
    shown = subprocess.run(
        ["openssl", "sess_id", "-in", stored, "-noout", "-text"], capture_output=True, text=True, timeout=20).stdout
    # No ticket that carries the session: an id of 32 bytes in its place, in lines of 16; and no early data.
    ticket = re.search(r"TLS session ticket:\n((?: +[0-9a-f]{4} - .*\n)+)", shown)
    assert (ticket and ticket[1].count("\n")) == (None if version == TLS12 else 2)
    assert re.search(r"Max Early Data: 0\n", shown) or version == TLS12
    s_client("-sess_in", stored)
    s_client("-sess_in", stored, "-servername", "other.example")
    resumed = [record["tls"]["resumed"] for record in front.wait_for("connection-allowed", 3)]
    assert resumed == [False, True, False]


@VERSIONS
def test_another_name_or_no_name_is_another_session(gateway, upstream, pki, version):
    front = gateway(upstream().address, **ONE)
    client = Client(front, pki.orders, version)
    names = ["a.example", "a.example", "b.example", "b.example", None, None, "a.example"]
    assert [client.visit(name) for name in names] == [False, True, False, True, False, True, False]
    seen = [record["tls"]["client"].get("server_name") for record in front.wait_for("connection-allowed", len(names))]
    assert seen == names


@VERSIONS
def test_another_listener_or_another_ca_is_another_session(gateway, upstream, pki, tmp_path, version):
    back = upstream()
    front = gateway(back.address, start=False, **ONE)
    port = free_port()
    other = front.configuration["listeners"][0] | {"name": "side", "listen": f"127.0.0.1:{port}"}
    front.configuration["listeners"].append(other)
    write(front)
    front.start()
    client = Client(front, pki.orders, version)
    assert [client.visit(), client.visit()] == [False, True]
    front.address = ("127.0.0.1", port)
    assert [client.visit(), client.visit()] == [False, True]
    front.stop()

    # The session is gone with the process, and the client is none of the new CA's.
    front.configuration["listeners"][1]["tls"] |= {"client_ca": str(PKI(tmp_path / "new").ca.certificate)}
    write(front)
    front.start()
    with pytest.raises(ssl.SSLError):
        client.visit()
    front.wait_for("handshake-failed", reason="certificate_untrusted")


@VERSIONS
def test_a_certificate_that_has_expired_is_refused_as_ever(gateway, upstream, pki, version):
    front = gateway(upstream().address, **ONE)
    client = Client(front, pki.worker("orders", f"short-{version}", ends=3), version)
    assert [client.visit(), client.visit()] == [False, True]

    def refused():
        try:
            client.visit()
        except ssl.SSLError as error:
            return error
        except ConnectionError:
            # It was let in in the last second, and ended with it.
            pass

    error = wait_until(refused, timeout=10, what="the certificate's end")
    assert "expired" in str(error)
    record = front.wait_for("handshake-failed")[0]
    assert (record["event"]["reason"], record["error"]["code"]) == ("certificate_expired", "X509_V_ERR_CERT_HAS_EXPIRED")


@VERSIONS
def test_rules_judge_a_resumed_connection(gateway, upstream, pki, version):
    rules = [*POLICY["rules"], {"name": "prove-it", "action": "deny", "when": {"resumed": True}}]
    front = gateway(upstream().address, policy={**POLICY, "rules": rules}, **ONE)
    client = Client(front, pki.orders, version)
    assert not client.visit()
    with pytest.raises(OSError):
        client.visit()
    [denied] = front.wait_for("connection-denied")
    assert denied["rule"]["name"] == "prove-it" and denied["tls"]["resumed"] is True
    assert denied["user"]["name"] == "worker/orders"


@VERSIONS
def test_it_can_be_turned_off(gateway, upstream, pki, version):
    front = gateway(upstream().address, tls={"resumption": False}, **ONE)
    client = Client(front, pki.orders, version)
    assert [client.visit() for _ in range(3)] == [False, False, False]
    assert client.session is None or not client.session.has_ticket


def test_a_session_of_tls_12_needs_the_extended_master_secret(gateway, upstream, pki):
    front = gateway(upstream().address, **ONE)
    # SSL_OP_NO_EXTENDED_MASTER_SECRET, which Python has no name for.
    client = Client(front, pki.orders, TLS12, options=1)
    assert [client.visit() for _ in range(3)] == [False, False, False]


def test_clients_that_only_send_see_no_reset(gateway, upstream, pki):
    """A ticket that nobody reads would turn the close of the socket into a reset."""
    received = []

    def serve(connection):
        data = b""
        while piece := connection.recv(65536):
            data += piece
        received.append(data)

    front = gateway(upstream(serve).address)
    for _ in range(20):
        stream = connect(front, pki.orders)
        stream.sendall(b"x" * 5000)
        raw = socket.socket(fileno=stream.detach())
        raw.close()
    closed = front.wait_for("connection-closed", 20)
    assert {record["event"]["reason"] for record in closed} == {"client_closed"}
    wait_until(lambda: len(received) == 20, what="all bytes")
    assert set(received) == {b"x" * 5000}
