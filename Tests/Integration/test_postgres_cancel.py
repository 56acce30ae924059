"""CancelRequests: a client may end its own queries, and nobody else's."""

import signal
import struct
import subprocess

import psycopg
import pytest

from support.postgres import (
    POLICY, answer, cancel_request, conninfo, error, messages, open_raw, plain, query, secure)
from support.wait import wait_until

SLEEP = "SELECT pg_sleep(60)"
CANCELED = "57014"


@pytest.fixture
def gate(gateway, postgres):
    # A query that runs on holds its connection, whose client may have gone.
    return gateway(postgres.address, policy=POLICY, listener={"protocol": "postgres"}, drain_timeout="1s")


@pytest.fixture
def sleeping(gate, pki, postgres):
    """A connection whose query runs; the stream, the process and the key."""
    stream, process, key = open_raw(gate, pki.orders)
    query(stream, SLEEP)
    wait_until(lambda: runs(postgres, process), what="a query that runs")
    yield stream, process, key
    stream.close()


def runs(postgres, process):
    return postgres.sql(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND wait_event = 'PgSleep'") == "1"


def session(gate):
    """The record that let the connection in which is to be cancelled."""
    return [each for each in gate.records("connection-allowed") if "cancels" not in each["countersign"]["postgres"]][0]


def cancels(gate, action):
    return [each for each in gate.records(action) if "cancels" in each["countersign"].get("postgres", {})]


def test_a_cancel_within_tls(gate, pki, postgres, sleeping):
    stream, process, key = sleeping
    other = secure(gate, pki.orders)
    other.sendall(cancel_request(process, key))
    # No answer, and close_notify: a ragged end would raise SSLEOFError.
    assert other.recv(1) == b""
    assert [error(each)["C"] for each in answer(stream)[-1:]] == [CANCELED]
    record, connection = wait_until(lambda: cancels(gate, "connection-allowed"))[0], session(gate)
    assert record["countersign"]["postgres"] == {"cancels": connection["countersign"]["connection"]["id"]}
    assert record["user"]["name"] == "worker/orders"
    assert connection["countersign"]["connection"]["id"] in record["countersign"]["detail"]
    assert record["rule"]["name"] == "own-role"
    wait_until(lambda: cancels(gate, "connection-closed"))


def test_a_cancel_in_plaintext(gate, pki, postgres, sleeping):
    stream, process, key = sleeping
    with plain(gate) as other:
        other.sendall(cancel_request(process, key))
        assert other.recv(1) == b""
    assert [error(each)["C"] for each in answer(stream)[-1:]] == [CANCELED]
    record = wait_until(lambda: cancels(gate, "connection-allowed"))[0]
    assert record["countersign"]["postgres"]["cancels"] == session(gate)["countersign"]["connection"]["id"]
    assert "x509" not in record.get("tls", {}).get("client", {})


def test_a_cancel_by_another_caller_is_denied_and_the_query_goes_on(gate, pki, postgres, sleeping):
    stream, process, key = sleeping
    other = secure(gate, pki.billing)
    other.sendall(cancel_request(process, key))
    assert other.recv(1) == b""
    record = wait_until(lambda: cancels(gate, "connection-denied"))[0]
    assert record["user"]["name"] == "worker/billing"
    assert record["countersign"]["postgres"]["cancels"] == "nothing"
    assert record["countersign"]["detail"] == "the key of the CancelRequest is no live connection's of this caller"
    assert runs(postgres, process)
    assert cancels(gate, "connection-allowed") == []


def test_a_cancel_by_nobody_known_is_denied(gate, pki, postgres, sleeping):
    _, process, key = sleeping
    other = secure(gate, pki.unmapped)
    other.sendall(cancel_request(process, key))
    assert other.recv(1) == b""
    assert wait_until(lambda: cancels(gate, "connection-denied"))[0]["event"]["reason"] == "caller_unmapped"
    assert runs(postgres, process)


def test_a_cancel_with_another_key_is_denied(gate, pki, postgres, sleeping):
    _, process, key = sleeping
    other = secure(gate, pki.orders)
    other.sendall(cancel_request(process, bytes([key[0] ^ 1]) + key[1:]))
    assert other.recv(1) == b""
    wait_until(lambda: cancels(gate, "connection-denied"))
    assert runs(postgres, process)


def test_guessed_keys_in_plaintext_are_recorded_and_limited(gate, pki, postgres, sleeping):
    stream, process, key = sleeping

    def try_in_plaintext(key):
        with plain(gate) as other:
            other.sendall(cancel_request(process, key))
            assert other.recv(1) == b""

    for number in range(25):
        try_in_plaintext(struct.pack("!I", number))
    denied = wait_until(lambda: (found := cancels(gate, "connection-denied")) and len(found) == 25 and found)
    texts = [each["countersign"]["detail"] for each in denied]
    assert texts == 20 * ["the key of the CancelRequest is no live connection's of this caller"] + 5 * [
        "too many CancelRequests of this source had keys that nobody knows"]
    # Now even the right pair is not taken in plaintext.
    try_in_plaintext(key)
    wait_until(lambda: len(cancels(gate, "connection-denied")) == 26)
    assert runs(postgres, process)
    # A caller with its certificate does not pay for strangers at the same address.
    other = secure(gate, pki.orders)
    other.sendall(cancel_request(process, key))
    assert other.recv(1) == b""
    assert [error(each)["C"] for each in answer(stream)[-1:]] == [CANCELED]


def test_a_key_is_worth_nothing_once_its_connection_has_ended(gate, pki, postgres):
    stream, process, key = open_raw(gate, pki.orders)
    stream.close()
    gate.wait_for("connection-closed")
    with plain(gate) as other:
        other.sendall(cancel_request(process, key))
        assert other.recv(1) == b""
    wait_until(lambda: cancels(gate, "connection-denied"))


@pytest.mark.parametrize("within", [False, True], ids=["plaintext", "tls"])
def test_bytes_behind_a_cancel_are_refused(gate, pki, postgres, sleeping, within):
    _, process, key = sleeping
    other = secure(gate, pki.orders) if within else plain(gate)
    other.sendall(cancel_request(process, key) + b"x")
    assert [error(each)["C"] for each in messages(other)] == ["08P01"]
    gate.wait_for("handshake-failed", reason="negotiation")
    assert runs(postgres, process)
    other.close()


def test_psql_cancels_with_control_c(gate, pki, postgres):
    process = subprocess.Popen(
        ["psql", "-X", "-At", "-c", SLEEP, conninfo(gate, pki.orders, application_name="impatient")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(
        lambda: postgres.sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'impatient' AND wait_event = 'PgSleep'") == "1")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "canceling statement due to user request" in errors
    wait_until(lambda: cancels(gate, "connection-allowed"))


@pytest.mark.parametrize("how", ["cancel_safe", "cancel"])
def test_psycopg_cancels(gate, pki, postgres, how):
    with psycopg.connect(conninfo(gate, pki.orders), autocommit=True) as connection:
        connection.pgconn.send_query(SLEEP.encode())
        wait_until(lambda: runs(postgres, connection.info.backend_pid))
        getattr(connection, how)()
        result = connection.pgconn.get_result()
        assert connection.pgconn.get_result() is None
        assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode() == CANCELED
    record = wait_until(lambda: cancels(gate, "connection-allowed"))[0]
    # The new call goes the way that the connection came, with its certificate; the old one in plaintext.
    assert ("x509" in record.get("tls", {}).get("client", {})) == (how == "cancel_safe")
