"""The way of a connection: verdict, record, and only then the upstream."""

import pytest

from support.clients import connect, exchange


def test_an_allowed_client_reaches_the_upstream(gateway, upstream, pki):
    back = upstream()
    front = gateway(back.address)
    assert exchange(front, pki.orders, b"hello") == b"hello"
    allowed = front.wait_for("connection-allowed")[0]
    assert allowed["user"]["name"] == "worker/orders"
    assert allowed["rule"]["name"] == "orders-may-connect"
    closed = front.wait_for("connection-closed", reason="client_closed")[0]
    assert closed["source"]["bytes"] == 5
    assert closed["destination"]["bytes"] == 5
    assert closed["countersign"]["connection"]["id"] == allowed["countersign"]["connection"]["id"]


REFUSED = [
    ("billing", "connection-denied", "default", None),
    ("unmapped", "connection-denied", "caller_unmapped", None),
    ("stranger", "handshake-failed", "certificate_untrusted", "X509_V_ERR_"),
    ("expired", "handshake-failed", "certificate_expired", "X509_V_ERR_CERT_HAS_EXPIRED"),
    ("early", "handshake-failed", "certificate_not_yet_valid", "X509_V_ERR_CERT_NOT_YET_VALID"),
    ("for_servers", "handshake-failed", "certificate_purpose", "X509_V_ERR_INVALID_PURPOSE"),
    (None, "handshake-failed", "certificate_missing", "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE"),
]


@pytest.mark.parametrize("client, action, reason, code", REFUSED)
def test_a_refused_client_never_reaches_it(gateway, upstream, pki, client, action, reason, code):
    back = upstream()
    front = gateway(back.address)
    identity = getattr(pki, client) if client else None
    with pytest.raises((OSError, AssertionError)):
        with connect(front, identity) as stream:
            stream.sendall(b"hello")
            assert stream.recv(1) != b""
    record = front.wait_for(action, reason=reason)[0]
    if code:
        assert record["error"]["code"].startswith(code)
    # A client that is let in afterwards is the first that the upstream sees.
    assert exchange(front, pki.orders) == b"ping"
    assert back.accepted == 1
