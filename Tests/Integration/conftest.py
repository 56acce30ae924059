"""What the tests share: one CA a session, gateways and upstreams that end with their test."""

import pytest
from cryptography import x509

from support import ecs
from support.gateway import Gateway
from support.mariadb import MYSQL, OWN_ACCOUNT, MariaDB
from support.pki import PKI, SERVER
from support.postgres import Postgres
from support.upstreams import Redis, Upstream


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """A CA with the usual clients as attributes."""
    made = PKI(tmp_path_factory.mktemp("pki"))
    made.orders = made.worker("orders")
    made.billing = made.worker("billing")
    made.unmapped = made.issue("unmapped", [x509.UniformResourceIdentifier("spiffe://acme.example/printer/3")])
    made.expired = made.worker("orders", "expired", starts=-7200, ends=-3600)
    made.early = made.worker("orders", "early", starts=3600)
    made.for_servers = made.worker("orders", "for-servers", usage=(SERVER,))
    made.stranger = PKI(tmp_path_factory.mktemp("other"), "Other CA").worker("orders", "stranger")
    return made


@pytest.fixture
def gateway(tmp_path, pki):
    """Makes gateways; those that still run at the end of the test must end well, and whatever they have
    written in any test must be as the Elastic Common Schema has it."""
    made = []

    def make(upstream, name="gateway", start=True, **arguments):
        gateway = Gateway(tmp_path / name, pki, upstream, **arguments)
        made.append(gateway)
        return gateway.start() if start else gateway

    yield make
    try:
        for gateway in made:
            gateway.stop()
        for gateway in made:
            ecs.check_log(gateway.lines())
    finally:
        for gateway in made:
            gateway.kill()


@pytest.fixture
def upstream():
    """Makes upstreams: `upstream()` echoes, `upstream(serve)` does as `serve` does."""
    made = []

    def make(serve=None, **arguments):
        made.append(Upstream(serve, **arguments))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """One cluster without TLS for all tests."""
    server = Postgres(tmp_path_factory.mktemp("postgres") / "server")
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb():
    """One MariaDB without TLS for all tests."""
    server = MariaDB()
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb_tls(pki):
    """One MariaDB whose accounts want TLS and a client certificate."""
    server = MariaDB(tls=pki.server("mariadb"), client_ca=pki.ca.certificate)
    yield server
    server.close()


@pytest.fixture
def mysql_front(gateway, mariadb):
    """A gateway before MariaDB that ties accounts to callers."""
    return gateway(mariadb.address, policy=OWN_ACCOUNT, listener=MYSQL)


@pytest.fixture
def own_files(pki, tmp_path):
    """TLS files that a test may spoil."""
    server = pki.server("mine")
    files = {"certificate": tmp_path / "cert.pem", "key": tmp_path / "cert.key", "ca": tmp_path / "ca.pem"}
    for name, source in (("certificate", server.certificate), ("key", server.key), ("ca", pki.ca.certificate)):
        files[name].write_bytes(source.read_bytes())
    files["key"].chmod(0o600)
    files["other"] = pki.server("others").key
    files["tls"] = {"certificate": str(files["certificate"]), "private_key": str(files["key"]),
                    "client_ca": str(files["ca"])}
    return files
