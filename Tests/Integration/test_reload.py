"""A verdict holds for as long as its connection: what changes in the files holds for those who are there, too."""

import contextlib
import json
import signal
import socket
import struct
import subprocess
import threading
import time

import pymysql
import pytest

from support.chain import verify
from support.clients import connect, exchange, receive
from support.gateway import free_port
from support.live import BOTH, alive, allow, deny, ended, with_rules
from support.mariadb import OWN_ACCOUNT, driver
from support.pki import PKI
from support.wait import wait_until


def test_a_policy_that_denies_one_of_two_ends_that_one(gateway, upstream, pki):
    front = gateway(upstream().address, policy=BOTH)
    with connect(front, pki.orders) as orders, connect(front, pki.billing) as billing:
        assert alive(orders) and alive(billing)
        front.write(front.policy, with_rules(allow("orders"), allow("billing"), deny("billing")))
        front.reload()
        assert ended(billing)
        for _ in range(3):
            assert alive(orders)
        with connect(front, pki.billing) as again:
            assert ended(again)
        record = front.wait_for("connection-revoked", reason="policy_changed")[0]
        assert record["countersign"]["change"] == "the rule 'no-billing' denies it now"
        assert record["user"]["name"] == "worker/billing"
        assert record["source"]["bytes"] == len(b"still there")
        version = front.records("configuration-loaded")[-1]["rule"]["version"] if "rule" in front.records(
            "configuration-loaded")[-1] else None
    closed = front.wait_for("connection-closed")[0]
    assert closed["user"]["name"] == "worker/orders"
    assert version is None or closed["rule"]["version"] == version
    loaded = front.records("configuration-loaded")
    assert len(loaded) == 2
    verify(front.lines())


def test_a_rule_that_is_gone_is_named(gateway, upstream, pki):
    front = gateway(upstream().address, policy=BOTH)
    with connect(front, pki.orders) as orders, connect(front, pki.billing) as billing:
        assert alive(orders) and alive(billing)
        front.write(front.policy, with_rules(allow("orders")))
        front.reload()
        assert ended(billing) and alive(orders)
    record = front.wait_for("connection-revoked")[0]
    assert record["countersign"]["change"] == "the rule 'billing-may' does not let it in any more, and no other does"


def test_a_signal_without_a_change_is_answered_and_disturbs_nobody(gateway, upstream, pki):
    front = gateway(upstream().address)
    with connect(front, pki.orders) as stream:
        for _ in range(3):
            front.reload("countersign: reload: nothing has changed")
            assert alive(stream)
    assert len(front.records("configuration-loaded")) == 1


def test_what_needs_a_restart_is_named(gateway, upstream, pki):
    front = gateway(upstream().address, workers=2)
    front.configuration["workers"] = 1
    front.configuration["audit"] = {
        "path": str(front.folder / "other.log"), "integrity": False, "durability": "synced",
        "when_unavailable": "allow_unlogged"}
    front.configure()
    # A right that is revoked beside it is held back with it.
    front.write(front.policy, with_rules(deny("orders")))
    front.reload("countersign: reload rejected: 5 errors")
    record = front.wait_for("configuration-rejected")[0]
    text = front.stderr()
    lines = front.path.read_text().splitlines()
    for key in ("audit.path", "audit.integrity", "audit.durability", "audit.when_unavailable", "workers"):
        line = next(n for n, line in enumerate(lines, 1) if f'"{key.split(".")[-1]}"' in line and (
            key != "audit.path" or "other.log" in line))
        assert f"{front.path}:{line}:" in text, key
        assert f"error: {key} cannot change while the gateway runs" in text
    assert record["event"]["outcome"] == "failure"
    assert not (front.folder / "other.log").exists()
    assert exchange(front, pki.orders) == b"ping"


def test_an_audit_key_cannot_change(gateway, upstream, pki, tmp_path):
    key = tmp_path / "audit.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    front = gateway(upstream().address, audit={"key": str(key)})
    front.write(key, bytes(range(100, 132)))
    front.reload("countersign: reload rejected: 1 error")
    assert "audit.key cannot change while the gateway runs" in front.stderr()


# Each is done to a gateway that runs; what is found must name the file, and the rules of before go on.
def _half_configuration(front, tmp):
    text = front.path.read_text()
    front.path.write_text(text[: len(text) // 2])


def _half_policy(front, tmp):
    front.policy.write_text(front.policy.read_text()[:40])


def _empty_ca(front, tmp):
    tmp["ca"].write_bytes(b"")


def _half_ca(front, tmp):
    tmp["ca"].write_bytes(tmp["ca"].read_bytes()[:200])


def _other_key(front, tmp):
    tmp["key"].write_bytes(tmp["other"].read_bytes())


def _one_of_a_thousand(front, tmp):
    rules = [allow("orders")] + [
        {"name": f"rule-{n}", "action": "allow", "callers": [f"worker/w{n}"]} for n in range(1000)]
    rules[700] = {**rules[700], "when": {"subject_xn": "a"}}
    front.write(front.policy, with_rules(*rules))


def _folder_for_a_file(front, tmp):
    front.policy.unlink()
    front.policy.mkdir()


def _no_file(front, tmp):
    tmp["certificate"].unlink()


def _open_key(front, tmp):
    tmp["key"].chmod(0o644)


BAD = {
    _half_configuration: "countersign.yaml:", _half_policy: "policy.yaml:", _empty_ca: "ca.pem is empty",
    _half_ca: "[pem-broken]", _other_key: "[key-mismatch]", _one_of_a_thousand: 'there is no field', _no_file: "cert.pem",
    _folder_for_a_file: "is not a regular file", _open_key: "[insecure-permissions]",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_bad_input_leaves_the_old_rules(gateway, upstream, pki, own_files, spoil):
    front = gateway(upstream().address, tls=own_files["tls"])
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        spoil(front, own_files)
        front.reload("countersign: reload rejected: ")
        record = front.wait_for("configuration-rejected")[0]
        assert BAD[spoil] in front.stderr() or BAD[spoil] in json.dumps(record), front.stderr()
        assert all(file.get("sha256") for file in record["countersign"]["configuration"]["files"])
        assert alive(stream)
        # The same once more is no news.
        front.reload("countersign: reload rejected: ")
        assert len(front.records("configuration-rejected")) == 1
    assert exchange(front, pki.orders) == b"ping"
    assert len(front.records("configuration-loaded")) == 1


def test_what_was_refused_and_is_put_back_is_withdrawn(gateway, upstream, pki):
    front = gateway(upstream().address)
    good = front.policy.read_bytes()
    front.write(front.policy, good[:40])
    front.followed("countersign: reload rejected: ")
    front.write(front.policy, good)
    front.followed("countersign: reload: the files are what runs again; nothing is refused any more")
    first, rejected, last = [
        record for record in front.records() if record["event"]["action"].startswith("configuration-")]
    assert rejected["event"]["action"] == "configuration-rejected"
    for key in ("version", "files"):
        assert last["countersign"]["configuration"][key] == first["countersign"]["configuration"][key]
    # Once: whoever asks again hears that nothing has changed.
    front.reload("countersign: reload: nothing has changed")
    assert front.stderr().count("what runs again") == 1
    assert len(front.records("configuration-loaded")) == 2


def test_a_renewed_certificate_is_shown_to_new_clients_alone(gateway, upstream, pki, own_files):
    front = gateway(upstream().address, tls=own_files["tls"])
    with connect(front, pki.orders) as old:
        shown = old.getpeercert(binary_form=True)
        new = pki.server("renewed")
        front.write(own_files["certificate"], new.certificate.read_bytes())
        front.write(own_files["key"], new.key.read_bytes())
        front.reload()
        with connect(front, pki.orders) as fresh:
            assert fresh.getpeercert(binary_form=True) != shown
            assert alive(fresh) and alive(old)
    assert not front.records("connection-revoked")


def test_a_ca_that_is_gone_takes_its_clients_along(gateway, upstream, pki, own_files, tmp_path):
    other = PKI(tmp_path / "second", "Second CA")
    stranger = other.worker("orders")
    own_files["ca"].write_bytes(pki.ca.certificate.read_bytes() + other.ca.certificate.read_bytes())
    front = gateway(upstream().address, tls=own_files["tls"])
    with connect(front, pki.orders) as mine, connect(front, stranger) as theirs:
        assert alive(mine) and alive(theirs)
        front.write(own_files["ca"], pki.ca.certificate.read_bytes())
        front.reload()
        assert ended(theirs) and alive(mine)
        record = front.wait_for("connection-revoked", reason="trust_changed")[0]
        assert "chain is not accepted any more" in record["countersign"]["change"]
        assert not front.records("connection-closed")
        # Back again: whoever stays is found to be the same.
        front.write(own_files["ca"], other.ca.certificate.read_bytes() + pki.ca.certificate.read_bytes())
        front.reload()
        assert alive(mine)
        assert exchange(front, stranger) == b"ping"


def test_a_certificate_ends_its_connection_within_a_second(gateway, upstream, pki):
    front = gateway(upstream().address)
    soon = pki.worker("orders", "soon", ends=4)
    with connect(front, soon) as stream:
        assert alive(stream)
        assert ended(stream)
        late = time.time() - soon.x509.not_valid_after_utc.timestamp()
    assert 0 < late < 2.0, late  # notAfter is the last valid second
    front.wait_for("connection-revoked", reason="certificate_expired")


def test_a_rule_ends_its_connections_within_a_second(gateway, upstream, pki):
    end = time.time() + 3
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    front = gateway(upstream().address, policy=with_rules(
        {**allow("orders"), "expires": moment}, allow("billing")))
    with connect(front, pki.orders) as orders, connect(front, pki.billing) as billing:
        assert alive(orders) and alive(billing)
        assert ended(orders)
        assert -0.1 < time.time() - int(end) < 1.0
        assert alive(billing)
    record = front.wait_for("connection-revoked", reason="rule_expired")[0]
    assert record["countersign"]["change"] == f"the rule 'orders-may' that let it in expired at {moment}"


def test_listeners_come_and_go(gateway, upstream, pki):
    front = gateway(upstream().address, drain_timeout="1s", workers=2)
    second = {**front.configuration["listeners"][0], "name": "second", "listen": f"127.0.0.1:{free_port()}"}
    address = ("127.0.0.1", int(second["listen"].split(":")[1]))
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        front.configuration["listeners"].append(second)
        front.configure()
        front.reload()
        front.address, first = address, front.address
        with connect(front, pki.orders) as other:
            assert alive(other) and alive(stream)
            front.configuration["listeners"].pop()
            front.configure()
            front.reload()
            with pytest.raises(OSError):
                connect(front, pki.orders)
            begun = time.monotonic()
            assert alive(other)
            assert ended(other)
            assert 0.5 < time.monotonic() - begun < 3
            record = front.wait_for("connection-closed", reason="drain")[0]
            assert record["countersign"]["listener"] == "second"
            assert alive(stream)
        front.address = first
    assert exchange(front, pki.orders) == b"ping"


def test_a_listener_moves(gateway, upstream, pki):
    front = gateway(upstream().address, drain_timeout="1s")
    port = free_port()
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        front.configuration["listeners"][0]["listen"] = f"127.0.0.1:{port}"
        front.configure()
        front.reload()
        old, front.address = front.address, ("127.0.0.1", port)
        assert exchange(front, pki.orders) == b"ping"
        assert ended(stream)
    front.address = old
    with pytest.raises(OSError):
        connect(front, pki.orders)
    front.address = ("127.0.0.1", port)


@pytest.mark.parametrize("key, other", [("listen", "127.0.0.1:{}"), ("name", "renamed")])
def test_a_listener_that_is_put_back_has_let_its_connections_go(gateway, upstream, pki, key, other):
    front = gateway(upstream().address, drain_timeout="1s")
    listener = front.configuration["listeners"][0]
    before = listener[key]
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        for value in (other.format(free_port()), before):
            listener[key] = value
            front.configure()
            front.reload()
        with connect(front, pki.orders) as fresh:
            assert ended(stream)
            assert alive(fresh)
    assert front.wait_for("connection-closed", reason="drain")[0]["countersign"]["listener"] == "front"


def test_an_address_that_is_taken_is_a_finding(gateway, upstream, pki):
    front = gateway(upstream().address)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        front.configuration["listeners"].append(
            {**front.configuration["listeners"][0], "name": "second", "listen": "%s:%d" % taken.getsockname()})
        front.configure()
        front.reload("countersign: reload rejected: 1 error")
        assert "cannot listen on" in front.stderr() and "EADDRINUSE" in front.stderr()
        assert exchange(front, pki.orders) == b"ping"
    front.reload()
    assert exchange(front, pki.orders) == b"ping"


def test_a_port_that_is_let_go_is_taken_without_a_word(gateway, upstream, pki):
    front = gateway(upstream().address)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = taken.getsockname()
        front.configuration["listeners"].append(
            {**front.configuration["listeners"][0], "name": "second", "listen": "%s:%d" % second})
        front.configure()
        front.followed("countersign: reload rejected: 1 error")
        # A file that was just written is read again in any case.
        wait_until(lambda: time.time() - front.path.stat().st_ctime > 2.1, what="a file that is not new")
        front.reload("countersign: reload rejected: 1 error")
    front.followed(timeout=12)
    assert [record for record, _ in front.summary()] == [
        "configuration-loaded", "gateway-started", "configuration-rejected", "configuration-loaded"]
    front.address = second
    assert exchange(front, pki.orders) == b"ping"


def test_a_unix_listener_leaves_its_file_to_nobody(gateway, upstream, pki, tmp_path):
    front = gateway(upstream().address, drain_timeout="0s")
    path = tmp_path / "front.sock"
    front.configuration["listeners"].append(
        {**front.configuration["listeners"][0], "name": "second", "listen": f"unix:{path}"})
    front.configure()
    front.reload()
    assert path.is_socket() and path.stat().st_mode & 0o777 == 0o600
    old, front.address = front.address, path
    with connect(front, pki.orders) as stream:
        front.configuration["listeners"][1]["socket"] = {"mode": "0660"}
        front.configure()
        front.reload()
        assert path.stat().st_mode & 0o777 == 0o660
        assert alive(stream)
    front.configuration["listeners"].pop()
    front.configure()
    front.reload()
    assert not path.exists()
    front.address = old


def test_upstreams_come_and_go(gateway, upstream, pki):
    first, second = upstream(), upstream()
    front = gateway(first.address)
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        front.configuration["upstreams"][0]["address"] = second.address
        front.configure()
        front.reload()
        assert exchange(front, pki.orders) == b"ping"
        assert (first.accepted, second.accepted) == (1, 1)
        assert alive(stream)
        front.configuration["upstreams"] = [{"name": "other", "address": "localhost:%s" % first.address.split(":")[1]}]
        front.configuration["listeners"][0]["upstream"] = "other"
        front.configuration["drain_timeout"] = "0s"
        front.configure()
        front.reload()
        # It was let in to somewhere else.
        assert ended(stream)
        assert exchange(front, pki.orders) == b"ping"
    assert (first.accepted, second.accepted) == (2, 1)
    front.wait_for("connection-closed", reason="drain")


def test_a_silent_resolver_holds_no_revocation_up(gateway, upstream, pki, tmp_path):
    back = upstream().address
    # As if a name server took its time: getaddrinfo(3) opens this file for every name.
    slow = ("strace", "-D", "-f", "-qq", "-o", str(tmp_path / "asked"), "-P", "/etc/hosts", "-e", "trace=openat",
            "-e", "inject=openat:delay_enter=6000000")  # microseconds
    front = gateway(back, policy=BOTH, wrapper=slow)
    with connect(front, pki.orders) as orders, connect(front, pki.billing) as billing:
        assert alive(orders) and alive(billing)
        front.write(front.policy, with_rules(allow("billing"), deny("orders")))
        front.configuration["upstreams"][0]["address"] = "localhost:" + back.split(":")[1]
        front.configure()
        begun = time.monotonic()
        front.signal(signal.SIGHUP)
        assert ended(orders) and alive(billing)
        assert time.monotonic() - begun < 5

    # Another thread asks for it, too, before any connection needs it.
    wait_until(
        lambda: len({line.split()[0] for line in (tmp_path / "asked").read_text().splitlines()}) == 2, 20,
        "a second question")

    def comes():
        with contextlib.suppress(OSError):
            return exchange(front, pki.billing) == b"ping"

    wait_until(comes, what="the name's address")


def test_a_policy_holds_for_those_who_drain(gateway, upstream, pki):
    front = gateway(upstream().address, policy=BOTH, drain_timeout="60s")
    with connect(front, pki.orders) as orders, connect(front, pki.billing) as billing:
        assert alive(orders) and alive(billing)
        front.signal(signal.SIGTERM)
        front.wait_for("gateway-stopping")
        # A listener that comes now takes nobody in.
        port = free_port()
        front.configuration["listeners"].append(
            {**front.configuration["listeners"][0], "name": "late", "listen": f"127.0.0.1:{port}"})
        front.configure()
        front.write(front.policy, with_rules(allow("orders")))
        front.reload()
        assert ended(billing) and alive(orders)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert front.process.wait(20) == 0
    assert ("connection-revoked", "policy_changed") in front.summary()


def test_limits_follow(gateway, upstream, pki):
    front = gateway(upstream().address, limits={"max_connections": 1})
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        with pytest.raises(OSError):
            connect(front, pki.orders)
        front.configuration["limits"]["max_connections"] = 2
        front.configure()
        front.reload()
        assert exchange(front, pki.orders) == b"ping"


def test_a_lower_limit_ends_nobody_but_a_lower_age_does(gateway, upstream, pki):
    front = gateway(upstream().address)
    with connect(front, pki.orders) as first, connect(front, pki.orders) as second:
        assert alive(first) and alive(second)
        front.configuration["limits"] = {"max_connections_per_caller": 1}
        front.configure()
        front.reload()
        assert alive(first) and alive(second)
        front.configuration["limits"] = {"max_connection_age": "1s"}
        front.configure()
        front.reload()
        assert ended(first) and ended(second)


def test_streams_lose_nothing_across_a_hundred_reloads(gateway, upstream, pki):
    front = gateway(upstream().address, policy=BOTH, workers=2)
    stop, problems, moved = threading.Event(), [], [0, 0, 0, 0]

    def flow(index, identity):
        try:
            with connect(front, identity) as stream:
                count = 0
                while not stop.is_set():
                    data = struct.pack(">Q", count) * 512
                    stream.sendall(data)
                    assert receive(stream, len(data)) == data
                    count += 1
                moved[index] = count
        except Exception as problem:  # noqa: BLE001: a thread tells the test
            problems.append(problem)

    threads = [
        threading.Thread(target=flow, args=(index, identity))
        for index, identity in enumerate([pki.orders, pki.billing, pki.orders, pki.billing])]
    for thread in threads:
        thread.start()
    front.wait_for("connection-allowed", count=4)
    for count in range(5):
        front.write(front.policy, {**BOTH, "rules": BOTH["rules"] + [
            {"name": f"warm-{count}", "action": "log", "callers": ["worker/*"]}]})
        front.reload()
    before, memory = front.descriptors(), front.memory()
    for count in range(100):
        front.write(front.policy, {**BOTH, "rules": BOTH["rules"] + [
            {"name": f"rule-{count}", "action": "log", "callers": ["worker/*"]}]})
        front.reload()
    after = front.descriptors()
    stop.set()
    for thread in threads:
        thread.join()
    assert not problems, problems
    assert all(count > 20 for count in moved), moved
    assert after <= before, (before, after)
    assert front.memory() - memory < 32 << 20
    assert len(front.records("configuration-loaded")) == 106
    assert not front.records("connection-revoked")
    closed = front.wait_for("connection-closed", count=4)
    assert [record["source"]["bytes"] for record in closed] == [record["destination"]["bytes"] for record in closed]
    assert sum(record["source"]["bytes"] for record in closed) == sum(moved) * 4096


def test_psql_hears_that_its_access_was_withdrawn(gateway, postgres, pki):
    from support.postgres import POLICY as ROLES, conninfo
    front = gateway(postgres.address, policy=ROLES, listener={"protocol": "postgres"})
    script = front.folder / "script.sql"
    gone = front.folder / "gone"
    script.write_text(f"SELECT 'in';\n\\! while [ ! -e {gone} ]; do sleep 0.02; done\nSELECT 'still in';\n")
    session = subprocess.Popen(
        ["psql", "-X", "-At", "-f", str(script), conninfo(front, pki.orders)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    front.wait_for("connection-allowed")
    wait_until(lambda: postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT ''in'';'") == "1")
    front.write(front.policy, {**ROLES, "rules": ROLES["rules"] + [deny("orders")]})
    front.reload()
    front.wait_for("connection-revoked", reason="policy_changed")
    gone.touch()
    out, errors = session.communicate(timeout=30)
    assert out == "in\n"
    assert "FATAL:  access was withdrawn: the policy has changed" in errors


def test_a_mysql_driver_hears_that_its_access_was_withdrawn(mysql_front, pki):
    with contextlib.suppress(pymysql.err.Error), driver(mysql_front, pki.orders) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == ((1,),)
            mysql_front.write(mysql_front.policy, {**OWN_ACCOUNT, "rules": OWN_ACCOUNT["rules"] + [deny("orders")]})
            mysql_front.reload()
            mysql_front.wait_for("connection-revoked", reason="policy_changed")
            with pytest.raises(pymysql.err.OperationalError) as heard:
                cursor.execute("SELECT 2")
    assert heard.value.args == (1045, "access was withdrawn: the policy has changed")
