"""Several addresses of one upstream: how they share connections, and what happens when one is not well."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from support.clients import connect, exchange, receive
from support.gateway import free_port
from support.postgres import Postgres
from support.upstreams import Redis
from support.wait import wait_until


def back(*addresses, **keys):
    return {"name": "back", "address": list(addresses), **keys}


@contextlib.contextmanager
def hanging():
    """An address that answers nothing: Linux takes one connection more than the backlog of 0, then it lets SYNs fall."""
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(silent.getsockname())
        yield "127.0.0.1:%d" % silent.getsockname()[1]


def named(name):
    """An upstream that says its name to whoever comes, and then echoes."""

    def serve(connection):
        connection.sendall(name.encode())
        while data := connection.recv(65536):
            connection.sendall(data)

    return serve


class Killable:
    """A server in a process of its own, which can be killed, stopped and started again on its port."""

    def __init__(self, port):
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.start()

    def start(self):
        program = (
            "import socket, threading\n"
            "def serve(c):\n"
            "    while d := c.recv(65536): c.sendall(d)\n"
            "    c.close()\n"
            "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
            f"s.bind(('127.0.0.1', {self.port})); s.listen(512); print('up', flush=True)\n"
            "while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()\n")
        self.process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"up\n"

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.mark.parametrize("balance", ["least_connections", "round_robin"])
def test_connections_are_shared_out_evenly_over_all_workers(gateway, upstream, pki, balance):
    backs = [upstream() for _ in range(3)]
    front = gateway(back(*(each.address for each in backs), balance=balance), workers=2)
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            stream = stack.enter_context(connect(front, pki.orders))
            stream.sendall(b"ping")
            assert receive(stream, 4) == b"ping"
        assert [each.accepted for each in backs] == [10, 10, 10]


def test_the_address_with_the_fewest_live_connections_is_next(gateway, upstream, pki):
    backs = [upstream(named(name)) for name in "ab"]
    front = gateway(back(*(each.address for each in backs)), workers=2)
    with contextlib.ExitStack() as stack:
        streams = []
        for _ in range(10):
            stream = stack.enter_context(connect(front, pki.orders))
            streams.append((receive(stream, 1), stream))
        for name, stream in streams:
            if name == b"a":
                stream.unwrap()
                stream.close()
        front.wait_for("connection-closed", count=5)
        names = []
        for _ in range(5):
            stream = stack.enter_context(connect(front, pki.orders))
            names.append(receive(stream, 1))
        assert names == [b"a"] * 5


def test_the_record_names_the_address_that_was_used(gateway, upstream, pki):
    back_one = upstream()
    front = gateway(back(f"127.0.0.1:{free_port()}", back_one.address))
    for _ in range(3):
        assert exchange(front, pki.orders) == b"ping"
    port = int(back_one.address.rsplit(":", 1)[1])
    for record in front.wait_for("connection-closed", count=3):
        assert record["destination"]["address"] == back_one.address
        assert (record["destination"]["ip"], record["destination"]["port"]) == ("127.0.0.1", port)


def test_no_client_sees_a_failure_while_one_address_is_up(gateway, pki):
    """Under load, each of three servers is killed and comes back; then they share the connections again."""
    backs = [Killable(free_port()) for _ in range(3)]
    front = gateway(back(*(each.address for each in backs)), workers=2)
    stop = threading.Event()
    done, failed = [0] * 4, []

    def load(number):
        while not stop.is_set():
            try:
                with connect(front, pki.orders) as stream:
                    stream.sendall(b"ping")
                    answer = receive(stream, 4)
            except OSError as error:
                answer = error
            # One that was under way when its server was killed is lost with it; it had been connected.
            if answer != b"ping" and not killing.is_set():
                failed.append(answer)
            done[number] += 1

    killing = threading.Event()
    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for each in backs:
            before = sum(done)
            wait_until(lambda: sum(done) > before + 20, what="load")
            killing.set()
            each.kill()
            # Until every connection that was under way at that moment has come to its end.
            marks = list(done)
            wait_until(lambda: all(now > mark + 1 for now, mark in zip(done, marks)), what="the end of old connections")
            killing.clear()
            before = sum(done)
            wait_until(lambda: sum(done) > before + 60, what="load without one server")
            each.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert front.records("upstream-failed") == []

    def is_shared():
        with contextlib.ExitStack() as stack:
            for _ in range(9):
                stream = stack.enter_context(connect(front, pki.orders))
                stream.sendall(b"ping")
                receive(stream, 4)
        used = [r["destination"]["address"] for r in front.wait_for("connection-closed", count=9)[-9:]]
        return len(set(used)) == 3

    wait_until(is_shared, timeout=60, what="all three in use again")
    for each in backs:
        each.kill()
    for each in backs:
        assert front.stderr().count(f"{each.address} is left alone") >= 1
        assert front.stderr().count(f"{each.address} is used again") >= 1


def test_several_redis_servers(gateway, pki, tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    servers = [Redis(folder) for folder in folders]
    front = gateway(back(*(server.address for server in servers), balance="round_robin"))
    try:
        for number, server in enumerate(servers):
            server.command("SET", "who", str(number))

        def who():
            with connect(front, pki.orders) as stream:
                stream.sendall(b"GET who\r\n")
                return receive(stream, 7)

        assert sorted(who() for _ in range(4)) == [b"$1\r\n0\r\n"] * 2 + [b"$1\r\n1\r\n"] * 2
        servers[0].close()
        assert [who() for _ in range(4)] == [b"$1\r\n1\r\n"] * 4
    finally:
        for server in servers:
            server.close()
    assert front.records("upstream-failed") == []


def test_a_silent_address_costs_the_attempt_delay_once(gateway, upstream, pki):
    with hanging() as silent:
        front = gateway(back(silent, upstream().address, connect_timeout="5s"))
        begin = time.monotonic()
        assert exchange(front, pki.orders) == b"ping"
        first = time.monotonic() - begin
        assert 0.24 < first < 4
        wait_until(lambda: f"{silent} is left alone" in front.stderr(), what="the line on standard error")
        begin = time.monotonic()
        for _ in range(3):
            assert exchange(front, pki.orders) == b"ping"
        assert front.records("upstream-failed") == []


def test_attempts_leave_no_descriptor_open(gateway, upstream, pki):
    with hanging() as silent, hanging() as other:
        front = gateway(back(silent, other, connect_timeout="1s"))
        before = front.descriptors()
        for _ in range(3):
            with connect(front, pki.orders) as stream:
                assert stream.recv(1) == b""
        record = front.wait_for("upstream-failed", count=3, reason="upstream_timeout")[0]
        assert silent in record["error"]["message"] and other in record["error"]["message"]
        # A client that goes while both are being dialled.
        for _ in range(3):
            connect(front, pki.orders).close()
        wait_until(lambda: front.descriptors() == before, what="the descriptors from before")


def test_where_all_fail_the_record_names_each(gateway, pki):
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    front = gateway(back(*addresses))
    with connect(front, pki.orders) as stream:
        assert stream.recv(1) == b""
    message = front.wait_for("upstream-failed", reason="upstream_unreachable")[0]["error"]["message"]
    for address in addresses:
        assert f"{address}: connect: Connection refused (ECONNREFUSED)" in message


def test_an_address_that_connects_and_does_not_speak_tls_is_passed_over(gateway, upstream, pki):
    """One says nothing at all, one says something else; no client sees that while the third one works."""
    server = pki.server()
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(server.certificate, server.key)

    def serve(connection):
        with made.wrap_socket(connection, server_side=True) as stream:
            while data := stream.recv(65536):
                stream.sendall(data)

    mute = upstream(lambda connection: connection.recv(65536) and connection.recv(65536))
    other = upstream(lambda connection: connection.sendall(b"220 mail\r\n"))
    right = upstream(serve)
    front = gateway(
        back(
            mute.address, other.address, right.address, connect_timeout="3s",
            health_check={"probe": "tcp", "interval": "1s"}, tls={"ca": str(pki.ca.certificate)}))
    for _ in range(4):
        assert exchange(front, pki.orders) == b"ping"
    assert mute.accepted >= 1 and other.accepted >= 1
    assert front.records("upstream-failed") == []
    # A probe that only connects does not show that TLS is mended.
    accepted = mute.accepted
    wait_until(lambda: mute.accepted >= accepted + 2, what="two probes")
    assert "is used again" not in front.stderr()


# The gateway alone sees another /etc/hosts: nothing of the machine is changed.
WITH_HOSTS = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
if os.geteuid() != 0:
    WITH_HOSTS.insert(1, "--map-root-user")


def test_a_name_that_changes(gateway, pki, tmp_path, upstream):
    """All addresses of a name take part; when they change, new connections follow and live ones stay."""
    port = free_port()
    backs = {host: upstream(named(host[-1]), address=(host, port)) for host in ("127.0.0.2", "127.0.0.3", "127.0.0.5")}
    hosts = tmp_path / "hosts"

    def point(*targets):
        # In place: the file that is mounted is this one.
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{target} db.test\n" for target in targets))

    # Nobody is at .4: a dial that fails has the name asked for again, sooner than in half a minute.
    point("127.0.0.2", "127.0.0.3", "127.0.0.4")
    front = gateway(back(f"db.test:{port}", connect_timeout="2s"), start=False)
    front.wrapper = [*WITH_HOSTS, str(hosts)]
    front.start()
    with contextlib.ExitStack() as stack:
        live, names = [], []
        for _ in range(4):
            live.append(stack.enter_context(connect(front, pki.orders)))
            names.append(receive(live[-1], 1))
        assert sorted(names) == [b"2", b"2", b"3", b"3"]
        point("127.0.0.5")

        def answers():
            with connect(front, pki.orders) as stream:
                return receive(stream, 1)

        wait_until(lambda: answers() == b"5", what="the new address")
        accepted = [backs[host].accepted for host in ("127.0.0.2", "127.0.0.3")]
        assert [answers() for _ in range(6)] == [b"5"] * 6
        assert [backs[host].accepted for host in ("127.0.0.2", "127.0.0.3")] == accepted
        for stream in live:
            stream.sendall(b"ping")
            assert receive(stream, 4) == b"ping"
        # A name that stops resolving keeps its last address, also over a dial that fails.
        point()
        backs["127.0.0.5"].close()
        assert answers() == b""
        front.wait_for("upstream-failed")
        upstream(named("5"), address=("127.0.0.5", port))
        assert answers() == b"5"
    used = [record["destination"] for record in front.wait_for("connection-closed", count=12)]
    assert {each["address"] for each in used} == {f"db.test:{port}"}
    assert {each["ip"] for each in used} == set(backs)


def test_both_families_of_a_name(gateway, pki, tmp_path, upstream):
    """Where nobody answers at the IPv6 address of a name, the IPv4 address does."""
    back_four = upstream()
    port = int(back_four.address.rsplit(":", 1)[1])
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n::1 db.test\n127.0.0.1 db.test\n")
    front = gateway(f"db.test:{port}", start=False)
    front.wrapper = [*WITH_HOSTS, str(hosts)]
    front.start()
    for _ in range(4):
        assert exchange(front, pki.orders) == b"ping"
    assert {r["destination"]["ip"] for r in front.wait_for("connection-closed", count=4)} == {"127.0.0.1"}
    assert front.records("upstream-failed") == []


def test_a_probe_by_tcp_takes_an_address_out_and_brings_it_back(gateway, upstream, pki):
    server = Killable(free_port())
    other = upstream()
    front = gateway(
        back(server.address, other.address, health_check={"probe": "tcp", "interval": "1s", "timeout": "1s"}))
    server.kill()
    wait_until(lambda: f"{server.address} is left alone" in front.stderr(), what="seen by a probe")
    before = other.accepted
    for _ in range(4):
        assert exchange(front, pki.orders) == b"ping"
    server.start()
    wait_until(lambda: f"{server.address} is used again" in front.stderr(), what="seen by a probe")
    with connect(front, pki.orders) as one, connect(front, pki.orders) as two:
        for stream in (one, two):
            stream.sendall(b"ping")
            assert receive(stream, 4) == b"ping"
    used = {r["destination"]["address"] for r in front.wait_for("connection-closed", count=6)[-2:]}
    assert used == {server.address, other.address}
    assert other.accepted > before
    server.kill()
    # Once a change, not once a probe.
    assert front.stderr().count("is used again") == 1


def test_postgres_is_probed_in_its_own_words(gateway, upstream, pki, tmp_path):
    """A server that takes connections and is no Postgres is left alone; the real one is used."""
    database = Postgres(tmp_path / "postgres", authentication="trust")
    impostor = upstream(lambda connection: connection.sendall(b"220 mail\r\n"))
    try:
        front = gateway(
            back(
                impostor.address, database.address,
                health_check={"probe": "protocol", "interval": "1s", "timeout": "2s"}),
            listener={"protocol": "postgres"})
        wait_until(lambda: f"{impostor.address} is left alone" in front.stderr(), what="seen by a probe")
        assert "neither S nor N" in front.stderr()
        assert database.address not in front.stderr()
        for _ in range(4):
            assert ask(front, pki) == "1"
        # The kernel still takes connections for a server that is stopped; the probe is not answered.
        database.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: f"{database.address} is left alone" in front.stderr(), what="seen by a probe")
        assert "connected, but no answer to the probe" in front.stderr()
        database.process.send_signal(signal.SIGCONT)
        wait_until(lambda: f"{database.address} is used again" in front.stderr(), what="seen by a probe")
        assert ask(front, pki) == "1"
    finally:
        database.process.send_signal(signal.SIGCONT)
        database.close()


def ask(front, pki):
    done = subprocess.run(
        [
            "psql", "-XAt", "-c", "SELECT 1",
            f"host=localhost port={front.port} user=postgres dbname=postgres sslmode=verify-full "
            f"sslrootcert={pki.ca.certificate} sslcert={pki.orders.certificate} sslkey={pki.orders.key}",
        ], capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("version, expected", [
    ("v1", b"PROXY UNKNOWN\r\n"), ("v2", b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"),
    ("v2_tls", b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"),
])
def test_a_probe_begins_with_a_proxy_header_where_one_is_due(gateway, upstream, pki, version, expected):
    heard = []

    def serve(connection):
        data = b""
        while piece := connection.recv(4096):
            data += piece
            if data.endswith(b"\x04\xd2\x16\x2f"):
                heard.append(data)
                connection.sendall(b"N")
                data = b""

    server = upstream(serve)
    front = gateway(
        back(server.address, proxy_protocol=version, health_check={"probe": "protocol", "interval": "1s"}),
        listener={"protocol": "postgres"})
    wait_until(lambda: len(heard) >= 2, what="two probes")
    assert set(heard) == {expected + b"\0\0\0\x08\x04\xd2\x16\x2f"}
    assert front.stderr().count("is left alone") == 0
