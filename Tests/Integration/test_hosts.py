"""Certificates and trust by the name that a client asks for, over the built binary and real clients."""

import json
import ssl
import subprocess

import pytest
from cryptography.x509.oid import NameOID

from support.commands import report, write_policy
from support.hosts import POLICY, Hosts, ask, check, context, explain, s_client
from support.postgres import SSL_REQUEST, plain, psql, startup

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
# Each name, and the only clients that pass for it.
NAMES = [
    ("blog.example", "blog"), ("BLOG.Example", "blog"), ("www.shop.example", "shop"),
    ("xn--bcher-kva.example", "shop"), ("shop.example", "own"), ("a.b.shop.example", "own"),
    ("elsewhere.example", "own"), (None, "own"),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory, pki):
    return Hosts(tmp_path_factory.mktemp("hosts"), pki)


@pytest.fixture
def front(gateway, upstream, hosts):
    """A listener with hosts, and its upstream."""

    def make(name="gateway", **tls):
        back = upstream()
        return gateway(back.address, name=name, policy=POLICY, tls={**hosts.tls, **tls}), back

    return make


def common_name(certificate):
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return names[0].value if names else None


def test_a_client_passes_for_its_own_host_alone(front, hosts):
    gate, back = front()
    passed = 0
    for version in VERSIONS:
        for name, owner in NAMES:
            for label, identity in hosts.clients.items():
                certificate, _ = ask(gate, context(identity, version), name)
                assert (certificate is not None) == (label == owner), (name, label, version)
                if certificate is not None:
                    passed += 1
                    issuer = "Blog CA" if owner == "blog" else "Test CA"
                    assert certificate.issuer.rfc4514_string() == f"CN={issuer}", name
    gate.stop()
    assert back.accepted == passed == len(VERSIONS) * len(NAMES)
    for record in gate.records("connection-allowed"):
        name = record["tls"]["client"].get("server_name")
        owner = dict(NAMES)[name]
        assert record["user"]["name"] == f"{owner}/orders"
        assert record["countersign"]["facts"].get("trust_label") == (None if owner == "own" else owner)
    failed = gate.records("handshake-failed")
    assert len(failed) == passed * 2
    assert {record["event"]["reason"] for record in failed} == {"certificate_untrusted"}


def test_explain_says_the_same_and_names_the_host(front, hosts, gateway):
    gate, _ = front()
    entries = {"blog": "blog.example", "shop": "*.shop.example, xn--bcher-kva.example", "own": "the listener's own"}
    for name, owner in NAMES:
        for label, identity in hosts.clients.items():
            said, code = explain(gate, identity, *([] if name is None else ["--server-name", name]))
            assert code == (0 if label == owner else 1), (name, label)
            assert said["host"] == entries[owner]
            assert said["facts"].get("trust_label") == (label if label == owner != "own" else None)
    strict, _ = front("strict", unknown_server_name="refuse")
    for words in [], ["--server-name", "elsewhere.example"]:
        said, code = explain(strict, hosts.clients["own"], *words)
        assert code == 1 and said["reason"] == "server_name_unknown" and said["host"] is None
        assert said["verification"]["error"] == "SSL_R_TLSV1_UNRECOGNIZED_NAME"
    assert explain(strict, hosts.clients["blog"], "--server-name", "Blog.Example.")[1] == 0


def test_unknown_names_are_refused_and_recorded(front, hosts):
    gate, back = front(unknown_server_name="refuse")
    for version in VERSIONS:
        for name in ["elsewhere.example", "shop.example", None]:
            assert ask(gate, context(hosts.clients["own"], version), name) == (None, "TLSV1_UNRECOGNIZED_NAME")
        assert ask(gate, context(hosts.clients["blog"], version), "blog.example")[0] is not None
    gate.stop()
    assert back.accepted == 2
    failed = gate.records("handshake-failed")
    assert [r["event"]["reason"] for r in failed] == ["server_name_unknown"] * 6
    assert [r["tls"].get("client", {}).get("server_name") for r in failed[:3]] == [
        "elsewhere.example", "shop.example", None]
    assert failed[0]["error"]["message"].startswith("no host is called elsewhere.example")


def test_a_session_opens_no_other_host(front, hosts):
    """CVE-2025-23419: whatever the server gives out for one name is worth nothing for another."""
    gate, _ = front()
    for version in VERSIONS:
        made = context(hosts.clients["blog"], version)
        _, session = ask(gate, made, "blog.example")
        for name in ["www.shop.example", "elsewhere.example", None]:
            certificate, _ = ask(gate, made, name, session=session)
            assert certificate is None, (version, name)
        assert ask(gate, made, "blog.example", session=session)[0] is not None


def test_names_as_openssl_and_curl_write_them(front, hosts, upstream, gateway):
    gate, _ = front()
    blog = hosts.clients["blog"]
    for name in ["blog.example", "BLOG.EXAMPLE", "blog.example."]:
        done = s_client(
            gate, "-servername", name, "-cert", blog.certificate, "-key", blog.key, "-CAfile",
            hosts.blog_ca.ca.certificate, "-verify_return_error", "-bugs", stdin="x\n")
        assert done.returncode == 0 and "Verify return code: 0 (ok)" in done.stdout, done.stderr

    def answer(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    web = gateway(upstream(answer).address, name="web", policy=POLICY, tls=hosts.tls)
    curl = ["curl", "-sS", "--noproxy", "*", "--connect-to", f"::127.0.0.1:{web.port}", "--cacert",
            str(hosts.blog_ca.ca.certificate), "--cert", str(blog.certificate), "--key", str(blog.key)]
    done = subprocess.run([*curl, "https://blog.example/"], capture_output=True, text=True, timeout=20)
    assert done.stdout == "ok", done.stderr
    done = subprocess.run([*curl, "-k", "https://www.shop.example/"], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and done.stdout == ""


def test_postgres_asked_and_direct(gateway, hosts, postgres):
    gate = gateway(
        postgres.address, listener={"protocol": "postgres"}, tls=hosts.tls,
        policy=POLICY)
    done = psql(gate, hosts.clients["blog"], "select 1", host="blog.example", sslrootcert=str(hosts.blog_ca.ca.certificate))
    assert done.stdout.strip() == "1", done.stderr
    done = psql(gate, hosts.clients["blog"], "select 1", host="www.shop.example", sslmode="require", sslrootcert="")
    assert done.returncode != 0
    for asks in True, False:
        for name, owner in NAMES[:4]:
            for label, identity in hosts.clients.items():
                raw = plain(gate)
                if asks:
                    raw.sendall(SSL_REQUEST)
                    assert raw.recv(1) == b"S"
                made = context(identity, alpn=["postgresql"])
                try:
                    with made.wrap_socket(raw, server_hostname=name, suppress_ragged_eofs=False) as stream:
                        # A client of TLS 1.3 hears of the refusal with its first read: ask for a password's prompt.
                        stream.sendall(startup(user="orders_rw", database="orders"))
                        passed = stream.recv(1) == b"R"
                except OSError:
                    passed = False
                finally:
                    raw.close()
                assert passed == (label == owner), (asks, name, label)
    gate.stop()


def test_the_label_is_kept_for_replay(front, hosts, tmp_path):
    gate, _ = front()
    assert ask(gate, context(hosts.clients["blog"]), "blog.example")[0] is not None
    assert ask(gate, context(hosts.clients["shop"]), "www.shop.example")[0] is not None
    gate.stop()
    same = report("replay", "--policies", gate.folder / "policy.yaml", gate.log)
    assert same["counts"]["verdicts"] == same["counts"]["unchanged"] == 2
    rules = [{"name": "blog-alone", "action": "allow", "when": {"trust_label": "blog"}}]
    other = write_policy(tmp_path / "other.yaml", {**POLICY, "rules": rules})
    changed = report("replay", "--policies", other, gate.log, expected=1)
    [case] = changed["cases"]
    assert (case["old"]["caller"], case["new"]["verdict"]) == ("shop/orders", "deny")


def test_check_tells_of_hosts(gateway, hosts, pki):
    def found(code, change):
        tls = json.loads(json.dumps(hosts.tls))
        change(tls)
        front = gateway("127.0.0.1:9", start=False, policy=POLICY, tls=tls)
        return front, [(f["code"], f["message"], f["line"]) for f in check(front, code)]

    front, [(code, message, line)] = found(0, lambda tls: None)
    assert code == "name-not-covered" and "*.shop.example, xn--bcher-kva.example" in message
    assert "*.shop.example" in front.path.read_text().splitlines()[line - 1]

    _, findings = found(2, lambda tls: tls["hosts"][0].update(private_key=str(pki.orders.key)))
    assert [code for code, *_ in findings] == ["key-mismatch"]
    both = [{"label": "a", "file": str(pki.ca.certificate)}, {"label": "b", "file": str(pki.ca.certificate)}]
    front, [(code, message, line)] = found(2, lambda tls: tls.update(client_ca=both))
    assert code == "ambiguous-label" and 'under the label "b"' in message and 'under the label "a"' in message
    _, findings = found(2, lambda tls: tls["hosts"].append({"server_name": "BLOG.example."}))
    assert [code for code, *_ in findings] == ["duplicate-name"]
    # Both are told at once.
    def two(tls):
        tls["hosts"][0]["client_ca"] = str(pki.orders.key)
        tls["client_ca"] = both
    _, findings = found(2, two)
    assert sorted(code for code, *_ in findings) == ["ambiguous-label", "private-key"]


def test_labels_tell_one_name_under_two_authorities_apart(gateway, upstream, hosts, pki):
    bundles = [{"label": "blog", "file": str(hosts.blog_ca.ca.certificate)},
               {"label": "shop", "file": str(hosts.shop_ca.ca.certificate)}, str(pki.ca.certificate)]
    policy = {**POLICY, "rules": [{"name": "shop-alone", "action": "allow", "callers": ["shop/orders"]}]}
    gate = gateway(upstream().address, policy=policy, tls={"client_ca": bundles})
    for label, identity in hosts.clients.items():
        assert (ask(gate, context(identity), "localhost")[0] is not None) == (label == "shop")
    gate.stop()
    assert {r["user"]["name"] for r in gate.records("connection-denied")} == {"blog/orders", "own/orders"}
