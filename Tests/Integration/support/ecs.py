"""Records of a running gateway, held to the field list of the Elastic Common Schema in Tests/ECS."""

import csv
import datetime
import ipaddress
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "ECS"
MANDATORY = ["@timestamp", "ecs.version", "event.kind", "event.category", "event.type", "event.action",
             "event.outcome", "event.code", "event.id", "event.sequence", "observer.product"]
# RFC 3339 in UTC.
DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
LONGEST = 4096


def _rows(name):
    with open(FOLDER / name, newline="") as file:
        return list(csv.DictReader(file))


FIELDS = {row["field"]: row for row in _rows("fields.csv")}
TYPES = {row["category"]: set(row["types"].split()) for row in _rows("categories.csv")}


def _date(value):
    match = DATE.fullmatch(value)
    return bool(match and datetime.datetime.fromisoformat(match[1]))


CHECKS = {
    "keyword": lambda value: isinstance(value, str),
    "match_only_text": lambda value: isinstance(value, str),
    "long": lambda value: type(value) is int and -2**63 <= value < 2**63,
    "boolean": lambda value: type(value) is bool,
    "ip": lambda value: isinstance(value, str) and bool(ipaddress.ip_address(value)),
    "date": lambda value: isinstance(value, str) and _date(value),
}


def _values(value, path=""):
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _values(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(element, dict) for element in value):
        for element in value:
            yield from _values(element, path)
    else:
        yield path, value


def check(line):
    """Fails where a line of a log, without its end, is not as the schema has it; returns the record."""
    text = line.decode()
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text), "an unescaped control"
    record = json.loads(text)
    values = list(_values(record))
    paths = {path for path, _ in values}
    assert paths.issuperset(MANDATORY), set(MANDATORY) - paths
    for path, value in values:
        elements = value if isinstance(value, list) else [value]
        assert all(len(element.encode()) <= LONGEST for element in elements if isinstance(element, str)), path
        if path == "countersign" or path.startswith("countersign."):
            continue
        assert path in FIELDS, f"{path} is no field of the schema"
        field = FIELDS[path]
        assert isinstance(value, list) == (field["array"] == "array"), f"{path}: {value!r}"
        allowed = field["values"].split()
        for element in elements:
            assert CHECKS[field["type"]](element), f"{path}: {element!r} is no {field['type']}"
            assert not allowed or element in allowed, f"{path}: {element!r} is not allowed"
    for category in record["event"]["category"]:
        assert TYPES[category].issuperset(record["event"]["type"]), record["event"]
    return record


def check_log(lines):
    """Checks every line, save those that the log itself says are torn."""
    tells_of_torn = any(b'"torn_line":true' in line for line in lines)
    for line in lines:
        try:
            check(line.rstrip(b"\n"))
        except ValueError:
            assert tells_of_torn, line
