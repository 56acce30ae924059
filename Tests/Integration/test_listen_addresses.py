"""Listeners whose addresses overlap: what `check` warns of is how the kernel decides."""

import json

import pytest

from support.clients import exchange


@pytest.mark.parametrize("wildcard_first", [True, False])
def test_the_narrower_address_wins(gateway, upstream, pki, wildcard_first):
    front = gateway(upstream().address, start=False, workers=2)
    listener = front.configuration["listeners"][0]
    pair = [{**listener, "name": "wide", "listen": f"0.0.0.0:{front.port}"}, {**listener, "name": "narrow"}]
    front.configuration["listeners"] = pair if wildcard_first else pair[::-1]
    front.path.write_text(json.dumps(front.configuration))
    front.start()
    for _ in range(5):
        front.address = ("127.0.0.1", front.port)
        assert exchange(front, pki.orders) == b"ping"
        front.address = ("127.0.0.2", front.port)
        assert exchange(front, pki.orders) == b"ping"
    records = front.wait_for("connection-allowed", count=10)
    assert [record["countersign"]["listener"] for record in records] == ["narrow", "wide"] * 5


def test_a_port_of_another_process_is_refused(gateway, upstream, pki):
    front = gateway(upstream().address)
    second = gateway(upstream().address, name="second", start=False)
    second.configuration["listeners"][0]["listen"] = f"127.0.0.1:{front.port}"
    second.path.write_text(json.dumps(second.configuration))
    second.start(wait=False)
    assert second.process.wait(20) == 2
    assert "another process holds this address: stop it or choose another port" in second.stderr()
    assert exchange(front, pki.orders) == b"ping"
