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
from support.pki import PKI

POLICIES = pathlib.Path(__file__).resolve().parents[2] / "Policies"
SETS = sorted(folder.name for folder in POLICIES.iterdir() if folder.is_dir())


def put_in_place(name, folder, pki, *more_authorities):
    """A copy of a set with the certificates that its configuration names."""
    shutil.copytree(POLICIES / name, folder, dirs_exist_ok=True)
    tls = folder / "tls"
    tls.mkdir()
    server = pki.server(f"server-of-{name}")
    shutil.copy(server.certificate, tls / "server.pem")
    shutil.copy(server.key, tls / "server.key")
    authorities = [pki, *more_authorities]
    (tls / "clients-ca.pem").write_bytes(b"".join(each.ca.certificate.read_bytes() for each in authorities))
    return folder


def check(folder):
    return subprocess.run(
        [BINARY, "check", "--strict", "--config", str(folder / "countersign.yaml")],
        capture_output=True, text=True, timeout=30)


@pytest.fixture
def serve(gateway, upstream, pki):
    """Serves a set on a free port before an echo; returns the gateway and the upstream."""

    def make(name, *more_authorities):
        back = upstream()
        front = gateway(back.address, name=name, start=False)
        put_in_place(name, front.folder, pki, *more_authorities)
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


def test_the_shared_certificate_of_origin_pulls_opens_nothing(serve, tmp_path):
    shared = PKI(tmp_path / "shared", "origin-pull.cloudflare.net")
    front, back = serve("cloudflare-origin-pulls", shared)
    refused(front, shared.issue("edge", [x509.DNSName("edge.example")]))
    denied = front.wait_for("connection-denied", reason="default")[0]
    assert denied["user"]["name"] == "cloudflare/any"
    assert "the-shared-certificate-was-seen" in denied["countersign"]["matched"]
    assert back.accepted == 0


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
