"""`countersign test`: policy tests of files and folders, for people, programs and build servers."""

import json
import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from support.gateway import BINARY

POLICIES = pathlib.Path(__file__).resolve().parents[2] / "Policies"
SETS = sorted(folder.name for folder in POLICIES.iterdir() if folder.is_dir())

POLICY = """version: 1
callers:
  - name: worker/{worker}
    match: { san_uri: "spiffe://acme.example/worker/{worker}" }
rules:
  - name: orders
    action: allow
    callers: [worker/orders]
    listeners: [db]
  - name: never-tested
    action: deny
    when: { source_ip: 192.0.2.0/24 }
"""
TESTS = """version: 1
tests:
  - name: orders
    given: { san_uri: "spiffe://acme.example/worker/orders", listener: db }
    expect: allow
  - name: billing
    given: { san_uri: "spiffe://acme.example/worker/billing", listener: db }
    expect: allow
    rule: orders
"""
CONFIGURATION = """version: 1
listeners:
  - name: db
    listen: 127.0.0.1:1
    tls: { certificate: a, private_key: b, client_ca: c }
    upstream: u
upstreams:
  - { name: u, address: "127.0.0.1:2" }
policies: [policy.yaml]
"""


def run(*words, code, cwd=None):
    done = subprocess.run([BINARY, "test", *map(str, words)], capture_output=True, text=True, timeout=60, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "tests.yaml").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize("name", SETS)
def test_every_shipped_set_is_tested_to_the_last_rule(name):
    done = run(POLICIES / name, "--require-coverage", code=0)
    assert done.stderr == "" and " 0 failed" in done.stdout and "no test reaches" not in done.stdout


def test_all_shipped_sets_at_once():
    counted = json.loads(run(POLICIES, "--format", "json", "--require-coverage", code=0).stdout)
    assert counted["failed"] == 0 and counted["tests"] == counted["passed"] >= 4 * len(SETS)
    assert {case["suite"] for case in counted["cases"]} == {str(POLICIES / name) for name in SETS}
    for kind in ("callers", "rules"):
        assert counted["coverage"][kind]["unreached"] == []
        assert counted["coverage"][kind]["reached"] == counted["coverage"][kind]["total"] > 0


def test_what_fails_is_told_with_its_place_and_why(folder):
    done = run(".", code=1, cwd=folder)
    assert done.stdout == """./tests.yaml:6:11: FAIL: billing
  ./tests.yaml:6:11: expect: got deny, expected allow
  ./tests.yaml:9:11: rule: got none, expected orders
  why: deny, default: no rule allows it
       rule orders (./policy.yaml:6:11): callers: expected worker/orders, found worker/billing
./policy.yaml:10:11: no test reaches the rule 'never-tested'
2 tests, 1 failed; callers reached 1 of 1, rules reached 1 of 2
"""


def test_programs_read_the_same(folder):
    report = json.loads(run(folder, "--format", "json", code=1).stdout)
    assert (report["tests"], report["passed"], report["failed"]) == (2, 1, 1)
    failed = report["cases"][1]
    assert (failed["file"], failed["line"]) == (str(folder / "tests.yaml"), 6)
    assert [(m["key"], m["got"], m["expected"], m["line"]) for m in failed["mismatches"]] == [
        ("expect", "deny", "allow", 6), ("rule", "none", "orders", 9)]
    assert report["coverage"]["rules"]["unreached"] == [
        {"name": "never-tested", "file": str(folder / "policy.yaml"), "line": 10, "column": 11}]


def test_build_servers_read_junit(folder):
    root = ElementTree.fromstring(run(folder, "--format", "junit", code=1).stdout)
    assert root.tag == "testsuites"
    [suite] = root
    for element in (root, suite):
        assert (element.get("tests"), element.get("failures"), element.get("errors")) == ("2", "1", "0")
        assert float(element.get("time")) >= 0
    assert suite.get("name") == str(folder) and suite.get("skipped") == "0"
    passed, failed = suite
    assert passed.get("name") == "orders" and len(passed) == 0
    assert failed.get("classname") == failed.get("file") == str(folder / "tests.yaml")
    assert failed.get("line") == "6" and float(failed.get("time")) >= 0
    [failure] = failed
    assert failure.tag == "failure" and failure.get("type") == "mismatch"
    assert failure.get("message") == "expect: got deny, expected allow; rule: got none, expected orders"
    assert "callers: expected worker/orders" in failure.text


def test_gaps_fail_where_that_is_asked_for(folder):
    text = (folder / "tests.yaml").read_text()
    (folder / "tests.yaml").write_text(text[:text.index("  - name: billing")])
    run(folder, code=0)
    assert "no test reaches the rule 'never-tested'" in run(folder, "--require-coverage", code=1).stdout


def test_files_globs_and_folders(folder):
    for words in ([folder], [folder / "policy.yaml", folder / "tests.yaml"], [f"{folder}/*.yaml"],
                  [folder, folder / "tests.yaml"]):
        assert run(*words, code=1).stdout.splitlines()[-1].startswith("2 tests, 1 failed;"), words
    below = folder / "below"
    below.mkdir()
    (folder / "tests.yaml").rename(below / "tests.yml")
    assert run(folder, code=1).stdout.splitlines()[-1].startswith("2 tests, 1 failed;")


def test_a_configuration_says_which_listeners_there_are(folder):
    (folder / "gateway.yaml").write_text(CONFIGURATION)
    run(folder, code=1)
    (folder / "gateway.yaml").write_text(CONFIGURATION.replace("name: db", "name: web"))
    done = run(folder, code=2)
    assert "[unknown-listener]" in done.stderr and f"{folder}/policy.yaml:9:17: error" in done.stderr
    # Two folders with configurations are two sets, and what they call alike does not collide.
    (folder / "gateway.yaml").unlink()
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "countersign.yaml").write_text(CONFIGURATION)
        (folder / name / "policy.yaml").write_text(POLICY)
        (folder / name / "tests.yaml").write_text(TESTS)
    (folder / "policy.yaml").unlink()
    (folder / "tests.yaml").unlink()
    assert run(folder, code=1).stdout.splitlines()[-1].startswith("4 tests, 2 failed;")


def test_broken_policies_are_told_as_check_tells_them(folder):
    (folder / "policy.yaml").write_text(POLICY.replace("action: allow", "action: permit"))
    done = run(folder, code=2)
    assert f"{folder}/policy.yaml:7:13: error: " in done.stderr and done.stdout == ""
    [finding] = json.loads(run(folder, "--format", "json", code=2).stdout)["findings"]
    assert (finding["file"], finding["line"]) == (f"{folder}/policy.yaml", 7)


@pytest.mark.parametrize("words, told", [
    (["policy.yaml"], "no policy tests were found"), (["tests.yaml"], "there are tests and no policies"),
    (["none.yaml"], "No such file"), (["none*.yaml"], "no file matches"), (["empty"], "no policy tests were found"),
])
def test_nothing_to_run_is_no_success(folder, words, told):
    (folder / "empty").mkdir()
    done = run(*words, code=2, cwd=folder)
    assert told in done.stderr and done.stdout == ""
    done = run(*words, "--format", "json", code=2, cwd=folder)
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert told in "\n".join([found.get("error", ""), *(finding["message"] for finding in found["findings"])])


def test_tests_that_speak_of_what_is_not_there_are_told(folder):
    (folder / "tests.yaml").write_text(TESTS.replace("rule: orders", "rule: ordres"))
    assert "there is no rule 'ordres' [unknown-rule]" in run(folder, code=1).stderr
    done = run(folder, "--format", "json", code=1)
    report = json.loads(done.stdout)
    assert done.stderr == "" and report["tests"] == 2
    assert [(one["code"], one["severity"], one["line"]) for one in report["findings"]] == [
        ("unknown-rule", "warning", 9)]


def test_wrong_usage():
    run(code=64)
    run(POLICIES, "--format", "html", code=64)
