"""MySQL clients in front of a real MariaDB: who gets in, as whom, and what the others are told."""

import hashlib
import signal

import mysql.connector
import pymysql
import pytest
from cryptography import x509

from support.gateway import free_port
from support.mariadb import MYSQL, OWN_ACCOUNT, cli, connector, driver
from support.mysql_wire import Client, error, packet, response, server
from support.pki import SERVER
from support.wait import wait_until


def test_the_cli_gets_in_as_the_account_that_the_policy_ties_to_it(mysql_front, pki):
    done = cli(mysql_front, pki.orders, command="SELECT USER(), DATABASE()")
    assert (done.returncode, done.stdout) == (0, "orders_rw@127.0.0.1\torders\n"), done.stderr
    record = mysql_front.wait_for("connection-allowed")[0]
    assert record["user"]["name"] == "worker/orders"
    assert record["countersign"]["mysql"] == {"user": "orders_rw", "database": "orders"}
    assert record["network"]["protocol"] == "mysql"
    mysql_front.wait_for("connection-closed")


@pytest.mark.parametrize("user", ["orders_rw", "orders_ed"])
def test_drivers_get_in_whatever_the_plugin_of_the_account(mysql_front, pki, user):
    with driver(mysql_front, pki.orders, user) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        assert cursor.fetchone() == (f"{user}@%",)


def test_an_account_without_a_password(mysql_front, pki):
    with driver(mysql_front, pki.orders, "orders_empty", password="") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        assert cursor.fetchone() == ("orders_empty@%",)


def test_connector_python_gets_in(mysql_front, pki):
    connection = connector(mysql_front, pki.orders)
    cursor = connection.cursor(prepared=True)
    for number in range(3):
        cursor.execute("SELECT ? + 1, CURRENT_USER()", (number,))
        assert cursor.fetchall() == [(number + 1, "orders_rw@%")]
    connection.close()


@pytest.mark.parametrize(
    "user, database", [("billing_rw", "orders"), ("orders_rw", "billing"), ("orders_ro", "orders")])
def test_another_account_or_database_is_denied(mysql_front, pki, mariadb, user, database):
    before = mariadb.sql("SHOW GLOBAL STATUS LIKE 'Connections'").split()[1]
    done = cli(mysql_front, pki.orders, user, database=database)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR 1045 (28000): access of the caller \"worker/orders\" as user "), done.stderr
    assert "own-account" not in done.stderr
    with pytest.raises(pymysql.err.OperationalError) as refused:
        driver(mysql_front, pki.orders, user, database=database)
    assert refused.value.args[0] == 1045
    with pytest.raises(mysql.connector.errors.ProgrammingError) as refused:
        connector(mysql_front, pki.orders, user, database=database)
    assert refused.value.errno == 1045 and "worker/orders" in refused.value.msg
    mysql_front.wait_for("connection-denied", count=3, reason="default")
    # Asking how many there were is one; the server saw nothing of the three.
    assert int(mariadb.sql("SHOW GLOBAL STATUS LIKE 'Connections'").split()[1]) == int(before) + 1


def test_a_database_must_be_named_where_the_policy_wants_one(mysql_front, pki):
    assert cli(mysql_front, pki.orders, database="").returncode == 1
    mysql_front.wait_for("connection-denied", reason="default")


def test_an_unmapped_caller_is_told_so(mysql_front, pki):
    done = cli(mysql_front, pki.unmapped)
    assert "ERROR 1045 (28000): access is denied: the client certificate is not mapped" in done.stderr
    mysql_front.wait_for("connection-denied", reason="caller_unmapped")


def test_a_client_without_tls_is_told_to_ask_for_it(mysql_front, pki):
    done = cli(mysql_front, None, tls=False)
    assert (done.returncode, done.stderr[:20]) == (1, "ERROR 3159 (HY000): "), done.stderr
    record = mysql_front.wait_for("handshake-failed", reason="negotiation")[0]
    assert record["error"]["message"] == "the client wants to start without TLS"


def test_a_client_without_a_certificate_gets_the_alert_of_tls(mysql_front, pki):
    done = cli(mysql_front, None)
    assert done.returncode == 1 and "alert certificate required" in done.stderr, done.stderr
    mysql_front.wait_for("handshake-failed", reason="certificate_missing")


@pytest.mark.parametrize("name, reason", [("stranger", "certificate_untrusted"), ("expired", "certificate_expired")])
def test_a_certificate_that_does_not_do(mysql_front, pki, name, reason):
    assert cli(mysql_front, getattr(pki, name)).returncode == 1
    mysql_front.wait_for("handshake-failed", reason=reason)


def test_a_client_notices_a_server_that_it_does_not_mean(gateway, mariadb, pki):
    other = pki.issue("db.example", [x509.DNSName("db.example")], (SERVER,))
    tls = {"certificate": str(other.certificate), "private_key": str(other.key)}
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, tls=tls)
    with pytest.raises(pymysql.err.OperationalError, match="Hostname mismatch"):
        driver(front, pki.orders)
    done = cli(front, pki.orders)
    assert done.returncode == 1 and "ERROR 2026 (HY000)" in done.stderr, done.stderr
    assert front.records("connection-allowed") == []


def test_a_wrong_password_is_the_servers_own_error(mysql_front, pki):
    done = cli(mysql_front, pki.orders, password="wrong")
    assert "ERROR 1045 (28000): Access denied for user 'orders_rw'@'127.0.0.1' (using password: YES)" in done.stderr
    with pytest.raises(pymysql.err.OperationalError, match="Access denied for user 'orders_ed'"):
        driver(mysql_front, pki.orders, "orders_ed", password="wrong")
    mysql_front.wait_for("connection-closed", count=2)
    assert mysql_front.records("connection-denied") == []


def test_an_upstream_that_is_not_there(gateway, pki):
    front = gateway(f"127.0.0.1:{free_port()}", policy=OWN_ACCOUNT, listener=MYSQL)
    done = cli(front, pki.orders)
    assert "ERROR 1105 (HY000): the server behind the gateway cannot be reached" in done.stderr
    assert front.wait_for("upstream-failed", reason="upstream_unreachable")[0]["error"]["code"] == "ECONNREFUSED"


@pytest.mark.parametrize("refusal", [
    packet(b"\xff\x10\x04Too many connections", 0), packet(b"\xff\x69\x04Host '192.0.2.1' is blocked", 0),
    packet(b"\xff\x10\x04#08004Too many connections", 0)])
def test_an_upstream_that_refuses_in_place_of_a_greeting(gateway, upstream, pki, refusal):
    front = gateway(upstream(lambda each: each.sendall(refusal)).address, policy=OWN_ACCOUNT, listener=MYSQL)
    done = cli(front, pki.orders)
    assert "ERROR 1105 (HY000)" in done.stderr and "blocked" not in done.stderr and "many" not in done.stderr
    record = front.wait_for("upstream-failed", reason="upstream_unreachable")[0]
    assert ": the upstream refuses: 1" in record["error"]["message"], record["error"]


def test_a_record_that_cannot_be_written_is_a_refusal(gateway, mariadb, pki):
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, audit={"path": "/dev/full"}, start=False)
    front.start(wait=False)
    done = wait_until(lambda: (lambda done: "ERROR 2002" not in done.stderr and done)(cli(front, pki.orders)))
    assert "ERROR 1105 (HY000): the connection cannot be recorded now" in done.stderr


def test_one_connection_too_many_gets_an_error_in_place_of_the_greeting(gateway, mariadb, pki):
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, limits={"max_connections": 1})
    with driver(front, pki.orders):
        # The client does not take for certain what comes before TLS, and says so.
        assert "1040 - there are too many connections" in cli(front, pki.orders).stderr
        with pytest.raises(pymysql.err.OperationalError) as refused:
            driver(front, pki.orders)
        assert refused.value.args == (1040, "there are too many connections")
    front.wait_for("limit-reached", count=2, reason="limit")


def test_a_client_in_the_middle_of_its_authentication_hears_of_the_drain(gateway, mariadb, pki):
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, drain_timeout="1s")
    with Client(front, pki.orders) as client, Client(front, pki.orders) as early:
        client.send(response())
        assert client.read()[1].startswith(b"\xfe")
        front.signal(signal.SIGTERM)
        sequence, payload = client.read()
        assert (sequence, error(payload)) == (4, (1053, "the gateway is shutting down"))
        sequence, payload = early.read()
        assert (sequence, error(payload)[0]) == (3, 1053)
    front.wait_for("connection-closed", reason="drain")
    assert front.process.wait(30) == 0, front.stderr()


@pytest.mark.parametrize("limit, reason", [("idle_timeout", "idle_timeout"), ("max_connection_age", "max_age")])
def test_a_relayed_connection_ends_by_its_limits(gateway, mariadb, pki, limit, reason):
    front = gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL, limits={limit: "1s"})
    with Client(front, pki.orders).log_in() as client:
        assert client.is_over()
    front.wait_for("connection-closed", reason=reason)


def test_the_server_keeps_a_client_waiting_that_then_times_out(gateway, upstream, pki):
    def ask(stream, sequence):
        stream.sendall(packet(b"\xfemysql_native_password\0" + bytes(range(1, 21)) + b"\0", sequence))

    back = upstream(server(ask))
    front = gateway(back.address, policy=OWN_ACCOUNT, listener=MYSQL, limits={"handshake_timeout": "1s"})
    with Client(front, pki.orders) as client:
        client.send(response())
        assert client.read()[1].startswith(b"\xfe")
        assert error(client.read()[1])[0] == 1105
    record = front.wait_for("upstream-failed", reason="upstream_timeout")[0]
    assert "authentication" in record["error"]["message"]


# What goes through once a client is in.

def test_payloads_of_several_packets_both_ways(mysql_front, pki):
    data = hashlib.sha256(b"seed").hexdigest() * (20_000_000 // 64)
    with driver(mysql_front, pki.orders) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT SHA2(%s, 256)", (data,))
        assert cursor.fetchone() == (hashlib.sha256(data.encode()).hexdigest(),)
        # Exactly as much as asks for another packet, which is empty.
        for length in (0xFFFFFF - 6, 0xFFFFFF - 5, 0xFFFFFF - 4, 20_000_000):
            cursor.execute(f"SELECT REPEAT('x', {length})")
            assert cursor.fetchone() == ("x" * length,)
    mysql_front.wait_for("connection-closed")


def test_a_result_of_fifty_megabytes(mysql_front, pki):
    with driver(mysql_front, pki.orders, cursorclass=pymysql.cursors.SSCursor) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq, REPEAT(CHAR(65 + seq % 26), 1000) FROM seq_1_to_50000")
            for number in range(1, 50_001):
                assert cursor.fetchone() == (number, bytes([65 + number % 26]) * 1000)
    record = mysql_front.wait_for("connection-closed")[0]
    assert record["destination"]["bytes"] > 50_000_000


def test_load_data_local_of_several_megabytes(mysql_front, pki, mariadb, tmp_path):
    lines = [f"{number}\t{'ñ' * (number % 200)}\n" for number in range(100_000)]
    path = tmp_path / "data"
    path.write_text("".join(lines))
    assert path.stat().st_size > 10 << 20
    mariadb.sql("CREATE OR REPLACE TABLE loaded (number INT, text VARCHAR(200) CHARACTER SET utf8mb4)", "orders")
    command = f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE loaded CHARACTER SET utf8mb4"
    done = cli(mysql_front, pki.orders, "orders_rw", command, "--local-infile=1")
    assert done.returncode == 0, done.stderr
    with driver(mysql_front, pki.orders, local_infile=True, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute(command)
    sums = "SELECT COUNT(*), SUM(number), SUM(CHAR_LENGTH(text)) FROM loaded"
    expected = [2 * 100_000, 2 * sum(range(100_000)), 2 * sum(number % 200 for number in range(100_000))]
    assert mariadb.sql(sums, "orders").split() == [str(each) for each in expected]


def test_plain_words_pass_to_the_server_and_back(mysql_front, pki):
    with Client(mysql_front, pki.orders).log_in() as client:
        for number in range(50):
            assert client.ask(f"SELECT {number} * 2") == str(number * 2)
        client.send(packet(b"\x0e", 0))
        assert client.read()[1][:1] == b"\0"
