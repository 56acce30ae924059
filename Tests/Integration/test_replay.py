"""`replay`, on logs that real connections made."""

import copy
import json

import pytest

from support.clients import exchange
from support.commands import report, run, write_policy
from support.gateway import POLICY


@pytest.fixture
def log(gateway, upstream, pki):
    """A log of two allowed connections, a denied one, and a handshake that failed."""
    front = gateway(upstream().address)
    assert exchange(front, pki.orders) == b"ping"
    assert exchange(front, pki.orders) == b"ping"
    for identity in (pki.billing, None):
        with pytest.raises((OSError, AssertionError)):
            assert exchange(front, identity) == b"ping"
    front.wait_for("connection-allowed", 2)
    front.wait_for("connection-denied")
    front.wait_for("handshake-failed")
    front.stop()
    return front


def changed(rules):
    policy = copy.deepcopy(POLICY)
    policy["rules"] = rules
    return policy


BILLING = [{"name": "billing", "action": "allow", "callers": ["worker/billing"]}]


def test_the_same_policy_changes_nothing(log):
    found = report("replay", "--policies", log.folder / "policy.yaml", log.log)
    assert found["counts"]["verdicts"] == 3 and found["counts"]["unchanged"] == 3
    assert found["counts"]["handshakes_failed"] == 1
    assert found["cases"] == []


def test_changes_are_grouped(log, tmp_path):
    policy = write_policy(tmp_path / "new.yaml", changed(BILLING))
    found = report("replay", "--policies", policy, log.log, expected=1)
    assert found["counts"]["changed"] == 3
    orders, billing = found["cases"]
    assert (orders["count"], orders["old"]["caller"], orders["old"]["rule"]) == (2, "worker/orders", "orders-may-connect")
    assert (orders["new"]["verdict"], orders["new"]["reason"]) == ("deny", "default")
    assert billing["new"]["rule"] == "billing"
    record = log.records()[orders["line"] - 1]
    assert orders["file"] == str(log.log) and orders["event_id"] == record["event"]["id"]
    assert orders["first"] == record["@timestamp"]
    text = run("replay", "--policies", policy, log.log)
    assert text.returncode == 1
    assert "2 × worker/orders: allow (rule orders-may-connect) → deny (default)" in text.stdout


def test_standard_input_and_several_files(log):
    whole = log.log.read_text()
    done = run("replay", "--policies", log.folder / "policy.yaml", log.log, "-", stdin=whole)
    assert done.returncode == 0 and "6 verdicts: 0 change, 6 do not" in done.stdout


def test_bad_lines_are_counted_and_told(log, tmp_path):
    lines = log.lines()
    bad = tmp_path / "bad.log"
    bad.write_bytes(
        b"\xef\xbb\xbf" + b"".join(lines[:2]) + b"hello\n" + b"\0" * 50 + b"\n" + b"x" * (3 << 20) + b"\n"
        + b"".join(line[:-1] + b"\r\n" for line in lines[2:]) + lines[2][:100])
    found = report("replay", "--policies", log.folder / "policy.yaml", bad)
    assert found["counts"]["verdicts"] == 3
    assert [one["line"] for one in found["unreadable"]] == [3, 4, 5, len(lines) + 4]
    assert "longer than any record" in found["unreadable"][2]["problem"]
    done = run("replay", "--policies", log.folder / "policy.yaml", bad)
    assert f"{bad}:3: warning: skipped: not JSON" in done.stderr


@pytest.mark.parametrize("what", ["no file", "no policy", "broken policy", "no verdict"])
def test_what_cannot_be_done_is_2(log, tmp_path, what):
    policy, audit = log.folder / "policy.yaml", log.log
    if what == "no file":
        audit = tmp_path / "none.log"
        words = f"cannot read {audit}: open: No such file or directory"
    elif what == "no policy":
        policy = tmp_path / "none-*.yaml"
        words = "no file matches"
    elif what == "broken policy":
        policy = tmp_path / "broken.yaml"
        policy.write_text("version: 1\nrules:\n  - { name: a, action: alow }\n")
        words = f"{policy}:3:"
    else:
        audit = tmp_path / "empty.log"
        audit.write_text("")
        words = "no verdict to compare"
    done = run("replay", "--policies", policy, audit)
    assert done.returncode == 2 and words in done.stderr
    # For programs everything is on standard output, and one document.
    done = run("replay", "--policies", policy, audit, "--format", "json")
    assert done.returncode == 2 and done.stderr == ""
    found = json.loads(done.stdout)
    told = [finding["file"] + ":" + str(finding["line"]) + ":" + finding["message"] for finding in found["findings"]]
    assert words in "\n".join([found.get("error", ""), *told])


def test_a_policy_file_among_the_logs_is_no_log(log):
    """A shell made two names of the glob: the second one's rules would not be read."""
    policy = log.folder / "policy.yaml"
    other = write_policy(log.folder / "other.yaml", changed(BILLING))
    empty = log.folder / "empty.log"
    empty.write_text("")
    words = "holds no record: is it a policy file? quote the glob, or repeat --policies"
    for logs in ([other, log.log], [log.log, other]):
        done = run("replay", "--policies", policy, *logs)
        assert done.returncode == 2 and done.stdout == "" and f"{other} {words}" in done.stderr
        assert report("replay", "--policies", policy, *logs, expected=2)["error"] == f"{other} {words}"
    done = run("replay", "--policies", policy, "-", stdin=other.read_text())
    assert done.returncode == 2 and f"standard input {words}" in done.stderr
    assert run("replay", "--policies", policy, empty, log.log).returncode == 0


def test_a_log_of_another_version_is_told_from_one_without_verdicts(log):
    newer = log.folder / "newer.log"
    newer.write_bytes(log.log.read_bytes().replace(b'"schema":1', b'"schema":2'))
    words = "the logs hold 3 connection-allowed or connection-denied records, none that this version reads"
    done = run("replay", "--policies", log.folder / "policy.yaml", newer)
    assert done.returncode == 2 and words in done.stderr
    found = report("replay", "--policies", log.folder / "policy.yaml", newer, expected=2)
    assert words in found["error"] and found["counts"]["unreadable"] == 3


def test_warnings_about_policies_stand_in_the_document(log, tmp_path):
    rules = [*BILLING, {"name": "idle", "action": "allow", "callers": ["nobody"]}]
    policy = write_policy(tmp_path / "warned.yaml", changed(rules))
    assert "[unknown-caller]" in run("replay", "--policies", policy, log.log).stderr
    done = run("replay", "--policies", policy, log.log, "--format", "json")
    assert done.returncode == 1 and done.stderr == ""
    assert [finding["code"] for finding in json.loads(done.stdout)["findings"]] == ["unknown-caller"]


def test_without_policies_it_is_wrong_usage(log):
    assert run("replay", log.log).returncode == 64
