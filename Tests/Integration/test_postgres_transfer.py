"""Much data through the gateway, both ways, compared by hash."""

import hashlib

import psycopg
import pytest

from support.postgres import POLICY, conninfo

MEGABYTE = 1 << 20


@pytest.fixture
def connection(gateway, postgres, pki):
    gate = gateway(postgres.address, policy=POLICY, listener={"protocol": "postgres"})
    with psycopg.connect(conninfo(gate, pki.orders), autocommit=True) as made:
        yield made
    record = gate.wait_for("connection-closed")[0]
    assert record["source"]["bytes"] + record["destination"]["bytes"] > 50 * MEGABYTE


def test_copy_of_100_megabytes_in_and_out(connection):
    # 1023 hexadecimal digits and an end of line, each line another.
    lines = [(hashlib.sha512(str(number).encode()).hexdigest() * 8)[:1023].encode() + b"\n" for number in range(1024)]
    connection.execute("CREATE TEMPORARY TABLE copied (line text)")
    sent = hashlib.sha256()
    with connection.cursor().copy("COPY copied FROM STDIN") as copy:
        for number in range(100):
            block = b"".join(lines[number:] + lines[:number])
            sent.update(block)
            copy.write(block)
    assert connection.execute("SELECT count(*), sum(length(line)) FROM copied").fetchone() == (102400, 102400 * 1023)
    received = hashlib.sha256()
    with connection.cursor().copy("COPY copied TO STDOUT") as copy:
        for block in copy:
            received.update(block)
    assert received.hexdigest() == sent.hexdigest()


def test_a_result_of_50_megabytes(connection):
    rows = connection.execute("SELECT repeat(md5(n::text), 1600) FROM generate_series(1, 1024) n").fetchall()
    assert len(rows) == 1024
    for number, (text,) in enumerate(rows, 1):
        assert text == hashlib.md5(str(number).encode()).hexdigest() * 1600
