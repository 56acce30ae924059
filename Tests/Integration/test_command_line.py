"""The commands: what they print, where, and with which exit code."""

import json
import pathlib
import socket
import subprocess

import pytest

from support.gateway import BINARY

def run(*words, **arguments):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, **arguments)


@pytest.fixture
def configuration(gateway):
    """A good configuration that nobody serves: its path, and a function to change it."""
    front = gateway("127.0.0.1:9", start=False)

    def change(edit):
        edit(front.configuration)
        front.path.write_text(json.dumps(front.configuration, indent=2))
        return str(front.path)

    return change


def listener(configuration):
    return configuration["listeners"][0]


BROKEN = {
    "unknown key": (lambda c: c.update(listners=[]), "unknown-key", "listeners"),
    "missing key": (lambda c: c.pop("upstreams"), "missing-key", "upstreams"),
    "wrong type": (lambda c: c.update(workers="many"), "wrong-type", "expected auto or a whole number"),
    "unknown upstream": (lambda c: listener(c).update(upstream="bak"), "", "back"),
    "no such certificate": (lambda c: listener(c)["tls"].update(certificate="/none.pem"), "", "/none.pem"),
    "a host name to listen on": (lambda c: listener(c).update(listen="localhost:1234"), "", "localhost"),
    "no policy file": (lambda c: c.update(policies=["none/*.yaml"]), "", "none/*.yaml"),
    "protocol": (lambda c: listener(c).update(protocol="http"), "invalid-value", "postgres"),
    "PROXY in": (lambda c: listener(c).update(proxy_protocol={"from": ["10.0.0.1/8"]}), "invalid-value", "10.0.0.1/8"),
    "PROXY out": (lambda c: c["upstreams"][0].update(proxy_protocol="v3"), "invalid-value", "v2_tls"),
    "CRL": (lambda c: listener(c)["tls"].update(client_crl=["a.crl"]), "unreadable-file", "a.crl"),
    "hosts": (lambda c: listener(c)["tls"].update(
        hosts=[{"server_name": "a.example"}, {"server_name": "A.example."}]), "duplicate-name", "a.example"),
    "no known host": (lambda c: listener(c)["tls"].update(unknown_server_name="refuse"), "contradiction", "refuse"),
    "upstream TLS": (lambda c: c["upstreams"][0].update(tls={"ca": "a.pem"}), "unreadable-file", "a.pem"),
    "admin": (lambda c: c.update(admin={"listen": "127.0.0.1:9901"}), "not-available", "admin"),
    "durability": (lambda c: c["audit"].update(durability="synced", path="stdout"), "contradiction", "synced"),
    "a key without a chain": (
        lambda c: c["audit"].update(key="/none.key", integrity=False), "contradiction", "audit.key"),
    "no audit key": (lambda c: c["audit"].update(key="/none.key"), "unreadable-file", "/none.key"),
}


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize("edit, code, words", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_configuration_never_starts(configuration, command, edit, code, words):
    path = configuration(edit)
    result = run(command, "--config", path)
    assert result.returncode == 2
    findings = [line for line in result.stderr.splitlines() if ": error: " in line]
    assert findings and words in result.stderr
    assert f"[{code}" in result.stderr
    # file:line:column, as editors understand it.
    assert any(line.startswith(f"{path}:") and line.split(":")[1].isdigit() for line in findings)


def test_every_finding_comes_in_one_run(configuration):
    def edit(c):
        c.update(wrkers=1)
        listener(c).update(protocl="tcp", listen="localhost:1")

    assert run("check", "--config", configuration(edit)).stderr.count(": error: ") == 3


def test_mistakes_of_every_file_come_in_one_run(configuration):
    path = configuration(lambda c: listener(c).update(listen="localhost:1") or listener(c)["tls"].update(
        client_ca="/none/ca.pem"))
    policy = pathlib.Path(path).with_name("policy.yaml")
    policy.write_text(json.dumps({
        "version": 1,
        "callers": [{"name": "a", "match": {"san_ur": "x"}}],
        "rules": [{"name": "r", "action": "permit", "when": {"source_ip": "10.1.2.3/8"}}],
    }))
    result = run("check", "--config", path)
    for words in ("localhost:1", "/none/ca.pem", "san_ur", "permit", "10.1.2.3/8"):
        assert words in result.stderr
    assert result.stderr.count(": error: ") == 5, result.stderr


def test_a_key_that_belongs_to_another_certificate_is_refused(configuration, pki):
    path = configuration(lambda c: listener(c)["tls"].update(private_key=str(pki.orders.key)))
    result = run("check", "--config", path)
    assert result.returncode == 2 and "[key-mismatch]" in result.stderr


def test_an_empty_bundle_is_refused(configuration, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    path = configuration(lambda c: listener(c)["tls"].update(client_ca=str(tmp_path / "empty.pem")))
    result = run("serve", "--config", path)
    assert result.returncode == 2 and "empty.pem" in result.stderr


def test_a_key_that_everyone_can_read_is_refused(configuration, pki):
    key = pki.server("open").key
    key.chmod(0o644)
    path = configuration(lambda c: listener(c)["tls"].update(private_key=str(key), certificate=str(key.with_suffix(".pem"))))
    result = run("check", "--config", path)
    assert result.returncode == 2 and "chmod" in result.stderr


def test_a_good_configuration_is_good(configuration):
    result = run("check", "--strict", "--config", configuration(lambda c: None))
    assert result.returncode == 0, result.stderr
    assert "0 errors, 0 warnings" in result.stdout and result.stderr == ""


def test_warnings_fail_only_where_it_is_strict(configuration):
    path = configuration(lambda c: c["upstreams"].append({"name": "unused", "address": "127.0.0.1:1"}))
    assert run("check", "--config", path).returncode == 0
    assert run("check", "--strict", "--config", path).returncode == 1


def test_findings_for_programs(configuration):
    result = run("check", "--format", "json", "--config", configuration(lambda c: c.update(wrkers=1)))
    assert result.returncode == 2 and result.stderr == ""
    finding = json.loads(result.stdout)["findings"][0]
    assert set(finding) == {"severity", "file", "line", "column", "code", "message", "hint"}
    assert finding["severity"] == "error" and finding["hint"] and finding["line"] > 1


def test_a_missing_configuration_is_told():
    result = run("check", "--config", "/none/countersign.yaml")
    assert result.returncode == 2 and "/none/countersign.yaml" in result.stderr


def test_a_port_that_is_taken_is_told(configuration):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--config", configuration(lambda c: listener(c).update(listen=f"127.0.0.1:{port}")))
    assert result.returncode == 2
    assert "EADDRINUSE" in result.stderr and str(port) in result.stderr


@pytest.mark.parametrize("words", [["serve"], ["check"], ["unknown"], ["serve", "--config"], ["check", "--formt", "x"]])
def test_wrong_usage_exits_with_64(words):
    result = run(*words)
    assert result.returncode == 64 and "Usage" in result.stderr


@pytest.mark.parametrize("arguments, words", {
    "listener": (["--listener", "frnt"], "did you mean 'front'?"),
    "field": (["--listener", "front", "--set", "foo=bar"], "there is no field 'foo'"),
    "address": (["--listener", "front", "--source-ip", "abc"], "expected an IPv4 or IPv6 address"),
    "host name": (["--listener", "front", "--server-name", "a b"], "no client can ask for such a host name"),
}.values())
def test_wrong_arguments_come_with_the_usage_of_their_command(configuration, pki, arguments, words):
    path = configuration(lambda c: None)
    result = run("explain", "--config", path, "--certificate", str(pki.orders.certificate), *arguments)
    assert result.returncode == 64 and words in result.stderr and result.stdout == ""
    assert "Usage: countersign explain --config <config>" in result.stderr


def test_a_field_that_cannot_be_generalised_comes_with_the_usage_of_suggest():
    result = run("suggest", "--generalise", "subject_cn", "/dev/null")
    assert result.returncode == 64 and "'subject_cn' cannot be generalised" in result.stderr
    assert "Usage: countersign suggest" in result.stderr


@pytest.mark.parametrize("words, known", [([], "serve"), (["audit"], "verify")])
def test_without_a_subcommand_the_help_comes_with_64(words, known):
    result = run(*words)
    assert result.returncode == 64 and result.stdout == ""
    assert "OVERVIEW: " in result.stderr and known in result.stderr


@pytest.mark.parametrize("content", ["pem", "hex"])
def test_a_path_that_names_a_key_prints_nothing_of_it(configuration, pki, tmp_path, content):
    secret = pki.orders.key.read_text().splitlines()[1] if content == "pem" else "5e" * 32
    key = tmp_path / "some.key"
    key.write_text(pki.orders.key.read_text() if content == "pem" else secret)
    (tmp_path / "log").write_text("")
    path = configuration(lambda c: c.update(policies=[str(key)]))
    for words in (["check", "--config", path], ["check", "--config", str(key)], ["serve", "--config", str(key)],
                  ["check", "--format", "json", "--config", path], ["test", str(key)],
                  ["replay", "--policies", str(key), str(tmp_path / "log")],
                  ["replay", "--policies", path, str(key)], ["suggest", str(key)], ["audit", "verify", str(key)]):
        result = run(*words)
        assert result.returncode in (1, 2) or words[0] == "audit", words
        assert secret[:16] not in result.stdout + result.stderr, words
    said = run("check", "--config", str(key)).stderr
    assert ("this is a PEM file, not YAML" if content == "pem" else "found a text, expected a mapping") in said


def test_a_key_in_place_of_a_certificate_is_told(configuration, pki):
    def swap(c):
        tls = listener(c)["tls"]
        tls["certificate"], tls["private_key"] = str(pki.orders.key), str(pki.orders.certificate)

    path = configuration(swap)
    pki.orders.certificate.chmod(0o600)
    result = run("check", "--config", path)
    assert result.returncode == 2 and "[no-certificate]" in result.stderr
    assert "holds a private key: are certificate and private_key swapped?" in result.stderr


def test_help_and_version():
    assert run("--version").stdout.startswith("countersign ")
    for words in ([], ["serve"], ["check"], ["demo"]):
        result = run(*words, "--help")
        assert result.returncode == 0 and "USAGE" in result.stdout


def test_the_demo_shows_all_three(tmp_path):
    result = run("demo", env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert result.returncode == 0, result.stderr
    text = result.stdout
    for words in ("got 'the service answers: hello'", "connection-allowed", "connection-denied", "caller_unmapped",
                  "worker/orders", "worker/billing"):
        assert words in text
    assert text.count("hung up on before any answer") == 2
    assert "\x1b" not in text
    assert not list(tmp_path.iterdir())


PLACES = {
    "unknown key": ("    upstreem: back\n", "upstreem", "unknown-key"),
    "wrong type": ("    protocol: [tcp]\n", "[tcp]", "wrong-type"),
    "not available": ("admin: { listen: 127.0.0.1:9901 }\n", "admin", "not-available"),
    "twice": ("    name: again\n", "name", ""),
}


@pytest.mark.parametrize("line, found, code", PLACES.values(), ids=PLACES.keys())
def test_a_finding_stands_where_the_mistake_is(configuration, pki, tmp_path, line, found, code):
    """Line and column count from one and point at what was found."""
    server = pki.server()
    before = (
        "version: 1\nlisteners:\n  - name: front\n    listen: 127.0.0.1:1\n"
        f"    tls: {{ certificate: {server.certificate}, private_key: {server.key}, client_ca: {pki.ca.certificate} }}\n"
        "    upstream: back\n")
    path = tmp_path / "gateway" / "places.yaml"
    configuration(lambda c: None)
    path.write_text(f"{before}{line}upstreams:\n  - name: back\n    address: 127.0.0.1:2\npolicies: [policy.yaml]\n")
    result = run("check", "--format", "json", "--config", str(path))
    assert result.returncode == 2
    findings = [each for each in json.loads(result.stdout)["findings"] if each["severity"] == "error"]
    place = (before.count("\n") + 1, line.index(found) + 1)
    assert [(each["line"], each["column"]) for each in findings] == [place], findings
    assert findings[0]["file"] == str(path) and code in findings[0]["code"]
    text = run("check", "--config", str(path)).stderr
    assert f"{path}:{place[0]}:{place[1]}: error: " in text


MORE = {
    "no version": lambda c: c.pop("version"),
    "another version": lambda c: c.update(version=2),
    "a name twice": lambda c: c["upstreams"].append({"name": "back", "address": "127.0.0.1:8"}),
    "a negative limit": lambda c: c.update(limits={"max_connections": -1}),
    "a duration without unit": lambda c: c.update(drain_timeout="30"),
    "a port too high": lambda c: listener(c).update(listen="127.0.0.1:65536"),
    "no listener": lambda c: c.update(listeners=[]),
    "TLS 1.0": lambda c: listener(c)["tls"].update(min_version="1.0"),
    "an abstract listener": lambda c: listener(c).update(listen="unix:@x"),
    "a socket without a file": lambda c: listener(c).update(socket={"mode": "0660"}),
    "a rate": lambda c: c.update(limits={"connection_rate_per_source": "5 per second"}),
    "unknown name refused": lambda c: listener(c)["tls"].update(unknown_server_name="refuse"),
}


@pytest.mark.parametrize("edit", [*(each[0] for each in BROKEN.values()), *MORE.values()], ids=[*BROKEN, *MORE])
def test_where_anything_is_wrong_nothing_listens_and_no_log_begins(configuration, edit):
    seen = {}

    def note(c):
        seen.update(port=listener(c)["listen"].rsplit(":", 1)[1], log=c["audit"]["path"])
        edit(c)

    path = configuration(note)
    result = run("serve", "--config", path)
    assert result.returncode == 2 and ": error: " in result.stderr and result.stdout == ""
    assert run("check", "--config", path).returncode == 2
    assert not pathlib.Path(seen["log"]).exists()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", int(seen["port"])))


def test_check_touches_neither_the_port_nor_the_log(gateway, upstream, pki):
    front = gateway(upstream().address)
    before = front.log.read_bytes()
    assert run("check", "--strict", "--config", str(front.path)).returncode == 0
    assert front.log.read_bytes() == before


def test_a_port_that_another_gateway_has_is_told(gateway, upstream, pki):
    """Two processes that share a port by SO_REUSEPORT would each get some of the clients, and nobody would know."""
    front = gateway(upstream().address)
    other = gateway(upstream().address, name="other", start=False)
    listener(other.configuration)["listen"] = f"127.0.0.1:{front.port}"
    other.path.write_text(json.dumps(other.configuration))
    process = subprocess.Popen(
        [BINARY, "serve", "--config", str(other.path)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 2
    assert "EADDRINUSE" in errors and str(front.port) in errors


@pytest.mark.parametrize("content", ["", "{", "[]", "version: 1\n\tx: 1\n", "a: &a [*a]\n", "\x00", "version: 1\nversion: 1\n"])
def test_a_file_that_is_no_configuration_is_told(tmp_path, content):
    path = tmp_path / "countersign.yaml"
    path.write_text(content)
    for command in ("check", "serve"):
        result = run(command, "--config", str(path))
        assert result.returncode == 2, result.stderr
        assert f"{path}:" in result.stderr and ": error: " in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_completions(shell):
    result = run("--generate-completion-script", shell)
    assert result.returncode == 0 and result.stderr == ""
    for word in ("serve", "check", "demo", "config", "strict", "format"):
        assert word in result.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=result.stdout, text=True, check=True)
