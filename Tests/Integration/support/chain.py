"""The hash chain of the log, verified as its description says, independently of the program."""

import hashlib
import hmac
import json
import re

FIRST = "0" * 64
FINGERPRINT = re.compile(rb'("fingerprint":")([0-9a-f]{64})(")')


def verify(lines, previous=FIRST, sequence=1, key=None):
    """Checks complete lines in order; returns the last fingerprint and the next sequence."""
    for line in lines:
        integrity = json.loads(line)["countersign"]["integrity"]
        assert integrity["previous"] == previous, f"record {sequence} does not follow its predecessor"
        assert integrity["sequence"] == sequence == json.loads(line)["event"]["sequence"]
        empty = FINGERPRINT.sub(rb"\1\3", line.rstrip(b"\n"))
        message = previous.encode() + b"\n" + empty
        fingerprint = (
            hmac.new(key, message, "sha256") if key else hashlib.sha256(message)).hexdigest()
        assert integrity["fingerprint"] == fingerprint, f"record {sequence} was changed"
        previous, sequence = fingerprint, sequence + 1
    return previous, sequence


def verify_torn(data, key=None):
    """Checks a log that kills and full disks have torn: a line that is no record is followed by an `audit-gap`
    that tells of it, or is the last one and has no end. Returns the records and the number of torn lines."""
    lines = data.splitlines(keepends=True)
    previous, sequence, torn, records, open_line = FIRST, 1, 0, [], False
    for number, line in enumerate(lines):
        try:
            record = json.loads(line)
        except ValueError:
            torn += 1
            open_line = True
            continue
        if open_line or (records and not records[-1][1].endswith(b"\n")):
            assert record["event"]["action"] == "audit-gap" and record["countersign"]["gap"]["torn_line"] is True
        open_line = False
        previous, sequence = verify([line], previous, sequence, key)
        records.append((record, line))
    if open_line:
        assert not data.endswith(b"\n"), "a line that is no record, and nothing tells of it"
    return [record for record, _ in records], torn
