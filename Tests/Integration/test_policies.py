"""The policy sets that are shipped, as a newcomer uses them: certificates put in place, then `check` and `serve`."""

import pathlib
import re
import shutil
import subprocess
import textwrap

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from support.clients import exchange
from support.gateway import BINARY
from support.hosts import ask, context
from support.pki import PKI, SERVER

POLICIES = pathlib.Path(__file__).resolve().parents[2] / "Policies"
SETS = sorted(folder.name for folder in POLICIES.iterdir() if folder.is_dir())


def put_in_place(name, folder, pki, **authorities):
    """A copy of a set with the certificates that its configuration names; `authorities` are CAs by their files."""
    shutil.copytree(POLICIES / name, folder, dirs_exist_ok=True)
    text = (folder / "countersign.yaml").read_text()
    tls = folder / "tls"
    tls.mkdir()
    names = [x509.DNSName(host) for host in ["localhost", *re.findall(r"server_name: (\S+)", text)]]
    server = pki.issue(f"server-of-{name}", names, (SERVER,))
    shutil.copy(server.certificate, tls / "server.pem")
    shutil.copy(server.key, tls / "server.key")
    for file in re.findall(r"tls/(\S+-ca)\.pem", text):
        # A CA stands under one label.
        default = pki if file == "clients-ca" else PKI(folder / "authorities" / file, f"CA of {file}")
        shutil.copy(authorities.get(file.replace("-", "_"), default).ca.certificate, tls / f"{file}.pem")
    return folder


def check(folder):
    return subprocess.run(
        [BINARY, "check", "--strict", "--config", str(folder / "countersign.yaml")],
        capture_output=True, text=True, timeout=30)


@pytest.fixture
def serve(gateway, upstream, pki):
    """Serves a set on a free port before an echo; returns the gateway and the upstream."""

    def make(name, **authorities):
        back = upstream()
        front = gateway(back.address, name=name, start=False)
        put_in_place(name, front.folder, pki, **authorities)
        text, listens = re.subn(r"listen: \S+", f"listen: 127.0.0.1:{front.port}", front.path.read_text())
        text, addresses = re.subn(r"address: \S+", f"address: {back.address}", text)
        assert (listens, addresses) == (1, 1)
        front.path.write_text(text)
        return front.start(), back

    return make


def refused(front, identity):
    with pytest.raises((OSError, AssertionError)):
        assert exchange(front, identity) == b"ping"


def test_there_are_sets():
    assert len(SETS) >= 4


@pytest.mark.parametrize("name", SETS)
def test_check_finds_nothing(name, tmp_path, pki):
    done = check(put_in_place(name, tmp_path / name, pki))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("missing", ["tls/server.pem", "tls/server.key", "tls/clients-ca.pem", "policy.yaml"])
def test_check_misses_what_is_not_there(name, missing, tmp_path, pki):
    folder = put_in_place(name, tmp_path / name, pki)
    (folder / missing).unlink()
    done = check(folder)
    assert done.returncode == 2
    assert missing in done.stderr


def test_service_workers(serve, pki):
    front, back = serve("service-workers")
    refused(front, pki.worker("mail"))
    assert back.accepted == 0
    assert exchange(front, pki.orders) == b"ping"
    assert front.wait_for("connection-denied", reason="default")[0]["user"]["name"] == "worker/mail"
    allowed = front.wait_for("connection-allowed")[0]
    assert allowed["rule"]["name"] == "orders-and-billing-reach-the-database"
    # The certificate of the tests is valid for a day: the rule on trial would refuse it.
    assert allowed["countersign"]["shadow"]["verdict"] == "deny"


def test_devices(serve, pki):
    front, back = serve("devices")
    unit = (NameOID.ORGANIZATIONAL_UNIT_NAME, "devices")
    device = lambda name: pki.issue(name, subject=[unit, (NameOID.COMMON_NAME, name)])
    refused(front, device("dev-0badc0de"))
    assert back.accepted == 0
    assert exchange(front, device("dev-0a1b2c3d")) == b"ping"
    assert front.wait_for("connection-denied", reason="rule")[0]["rule"]["name"] == "lost-devices"
    assert front.wait_for("connection-allowed")[0]["user"]["name"] == "device/0a1b2c3d"


def test_origin_pulls_by_zone_hostname_and_network(serve, pki, tmp_path):
    shared = PKI(tmp_path / "shared", "origin-pull.cloudflare.net")
    hostnames = PKI(tmp_path / "hostnames", "Hostnames CA")
    front, back = serve("cloudflare-origin-pulls", origin_pull_ca=shared, hostnames_ca=hostnames)
    of = lambda authority, file, name: authority.issue(file, subject=[(NameOID.COMMON_NAME, name)])
    zone, renewed = of(pki, "zone", "shop.example"), of(pki, "zone-renewed", "shop.example")
    host, network = of(hostnames, "host", "admin.shop.example"), of(shared, "edge", "shop.example")
    passes = lambda identity, name: ask(front, context(identity), name)[0] is not None

    # Before a rotation, during it and after it.
    assert passes(zone, "shop.example") and passes(renewed, "www.shop.example")
    assert passes(host, "admin.shop.example")
    assert back.accepted == 3
    assert not passes(zone, "blog.example") and not passes(zone, None)
    assert not passes(network, "shop.example")
    # A hostname has a CA of its own, and its certificate is good for that one alone.
    assert not passes(zone, "admin.shop.example") and not passes(network, "admin.shop.example")
    assert not passes(host, "shop.example")
    assert not passes(of(hostnames, "other", "shop.example"), "admin.shop.example")
    front.stop()
    assert back.accepted == 3
    allowed = front.records("connection-allowed")
    assert [r["user"]["name"] for r in allowed] == ["zone/shop.example"] * 2 + ["host/admin.shop.example"]
    assert [r["countersign"]["facts"]["trust_label"] for r in allowed] == ["zones", "zones", "hostnames"]
    denied = front.records("connection-denied")
    assert [r["user"]["name"] for r in denied] == [
        "zone/shop.example", "zone/shop.example", "cloudflare/any", "host/shop.example"]
    assert "the-shared-certificate-was-seen" in denied[2]["countersign"]["matched"]
    assert [r["event"]["reason"] for r in front.records("handshake-failed")] == ["certificate_untrusted"] * 3


@pytest.mark.parametrize("name", SETS)
def test_tests_reach_everything(name):
    done = subprocess.run(
        [BINARY, "test", "--require-coverage", str(POLICIES / name)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_of_the_kubernetes_example(tmp_path, pki):
    manifest = (POLICIES.parent / "Deploy/kubernetes/redis.yaml").read_text()
    for name in ("countersign.yaml", "policy.yaml"):
        block = re.search(rf"^  {re.escape(name)}: \|\n((?:    .*\n)+)", manifest, re.MULTILINE)
        (tmp_path / name).write_text(textwrap.dedent(block[1]).replace("/tls/", f"{tmp_path}/"))
    # As cert-manager names them in a secret.
    server = pki.server("server-in-a-pod")
    shutil.copy(server.certificate, tmp_path / "tls.crt")
    shutil.copy(server.key, tmp_path / "tls.key")
    (tmp_path / "tls.key").chmod(0o440)
    shutil.copy(pki.ca.certificate, tmp_path / "ca.crt")
    done = check(tmp_path)
    assert done.returncode == 0, done.stderr
