"""COM_CHANGE_USER must not escape the verdict."""

import mysql.connector
import pytest
from pymysql._auth import ed25519_password

from support.mariadb import MYSQL, OWN_ACCOUNT, connector
from support.mysql_wire import MULTI, OK, Client, change_user, error, packet, query, read_packet, response, server


def test_a_driver_changes_to_an_account_that_the_policy_allows(mysql_front, pki):
    connection = connector(mysql_front, pki.orders)
    for user in ("orders_rw", "orders_rw", "orders_rw"):
        connection.cmd_change_user(user, user, "orders")
        cursor = connection.cursor()
        cursor.execute("SELECT CURRENT_USER(), DATABASE()")
        assert cursor.fetchall() == [(f"{user}@%", "orders")]
    connection.close()
    # The connection's own verdict, and that of each change.
    records = mysql_front.wait_for("connection-allowed", count=4)
    assert len({record["countersign"]["connection"]["id"] for record in records}) == 1
    mysql_front.wait_for("connection-closed")


def test_a_change_between_plugins(mysql_front, pki):
    with Client(mysql_front, pki.orders).log_in() as client:
        client.send(change_user("orders_empty"))
        assert client.read()[1].startswith(b"\xfemysql_native_password\0")
        client.send(packet(b"", 2))
        assert client.read()[1][:1] == b"\0"
        assert client.ask("SELECT CURRENT_USER()") == "orders_empty@%"
        client.send(change_user("orders_ed"))
        sequence, payload = client.read()
        assert (sequence, payload[:16]) == (1, b"\xfeclient_ed25519\0"), payload
        client.send(packet(ed25519_password(b"orders_ed", payload[16:48]), 2))
        assert client.read()[1][:1] == b"\0"
        assert client.ask("SELECT CURRENT_USER()") == "orders_ed@%"
        client.send(change_user("orders_rw"))
        assert client.prove("orders_rw", 1)[:1] == b"\0"
        client.send(change_user("orders_ed"))
        assert client.read()[1].startswith(b"\xfeclient_ed25519\0")
        client.send(packet(bytes(64), 2))
        assert error(client.read()[1])[0] == 1045
        # MariaDB goes on with the session as it was, and so does the verdict.
        assert client.ask("SELECT CURRENT_USER()") == "orders_rw@%"
    record = mysql_front.wait_for("connection-closed")[0]
    assert record["countersign"]["mysql"]["user"] == "orders_rw"


def test_a_driver_that_asks_for_too_much_is_told_so_and_ended(mysql_front, pki):
    connection = connector(mysql_front, pki.orders)
    with pytest.raises(mysql.connector.errors.ProgrammingError) as refused:
        connection.cmd_change_user("billing_rw", "billing_rw", "billing")
    assert refused.value.errno == 1045
    assert 'access of the caller "worker/orders" as user "billing_rw" to database "billing"' in refused.value.msg
    denied = mysql_front.wait_for("connection-denied", reason="default")[0]
    assert denied["countersign"]["mysql"] == {"user": "billing_rw", "database": "billing"}
    revoked = mysql_front.wait_for("connection-revoked", reason="policy_changed")[0]
    assert revoked["countersign"]["mysql"]["user"] == "orders_rw"
    assert revoked["countersign"]["connection"]["id"] == denied["countersign"]["connection"]["id"]
    with pytest.raises(mysql.connector.errors.Error):
        connection.cmd_ping()


REFUSED = {
    "COM_MULTI": packet(bytes([MULTI]) + b"\5\0\0\0\x11abc", 0),
    "broken": packet(b"\x11orders_rw", 0),
    "quoted": change_user("'billing_rw'"),
    "control character": change_user("orders_rw\n"),
    "over the longest": (b"\xff\xff\xfe\0\x11" + bytes(100)),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_judged_is_refused(mysql_front, pki, data):
    with Client(mysql_front, pki.orders).log_in() as client:
        client.send(data)
        sequence, payload = client.read()
        assert (sequence, error(payload)[0]) == (1, 1045)
        assert client.is_over()
    mysql_front.wait_for("connection-revoked", reason="policy_changed")


def test_a_change_behind_other_commands_is_seen(mysql_front, pki):
    with Client(mysql_front, pki.orders).log_in() as client:
        client.send(query("DO 1") + packet(b"\x0e", 0) + change_user("billing_rw"))
        answers = []
        while (answer := client.read())[0] is not None:
            answers.append(answer[1])
        assert error(answers[-1])[0] == 1045
    mysql_front.wait_for("connection-denied", reason="default")


def test_a_change_of_another_sequence_is_none_for_the_server(mysql_front, pki):
    with Client(mysql_front, pki.orders).log_in() as client:
        client.send(change_user("billing_rw", sequence=1))
        # Passed on, since it is no command; the server refuses it: "Got packets out of order".
        _, payload = client.read()
        assert payload[:1] in (b"\xff", b"") and (not payload or error(payload)[0] in (1047, 1153, 1156, 1158))
        assert client.is_over()
    assert mysql_front.records("connection-denied") == []


def test_a_change_that_comes_byte_by_byte(mysql_front, pki):
    with Client(mysql_front, pki.orders).log_in() as client:
        for byte in change_user("orders_rw"):
            client.send(bytes([byte]))
        assert client.prove("orders_rw", 1)[:1] == b"\0"
        for byte in change_user("billing_rw"):
            client.send(bytes([byte]))
        assert error(client.read()[1])[0] == 1045
    mysql_front.wait_for("connection-revoked")


@pytest.mark.parametrize("version, answer", [("8.0.36", 1045), ("5.5.5-10.11.19-MariaDB", 0)])
def test_a_name_that_the_upstream_would_cut(gateway, upstream, pki, version, answer):
    def script(stream, sequence):
        stream.sendall(packet(OK, sequence))
        if read_packet(stream)[0] is not None:
            stream.sendall(packet(OK, 1))

    policy = {**OWN_ACCOUNT, "rules": [{"name": "all", "action": "allow", "callers": ["worker/*"]}]}
    front = gateway(upstream(server(script, version=version)).address, policy=policy, listener=MYSQL)
    with Client(front, pki.orders) as client:
        client.send(response())
        assert client.read()[1] == OK
        client.send(change_user("x" * 33))
        payload = client.read()[1]
        assert payload == OK if answer == 0 else error(payload)[0] == answer
