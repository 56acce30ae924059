"""The commands that work on policies and logs, on files that a test has."""

import json
import subprocess

from .gateway import BINARY


def run(*words, stdin=None, **arguments):
    """Runs the program to its end."""
    return subprocess.run(
        [BINARY, *map(str, words)], input=stdin, capture_output=True, text=stdin is None or isinstance(stdin, str),
        timeout=60, **arguments)


def report(*words, expected=0):
    """What a command reports as JSON; its exit code must be as expected."""
    done = run(*words, "--format", "json")
    assert done.returncode == expected, done.stderr + done.stdout
    return json.loads(done.stdout)


def write_policy(path, policy):
    """A policy as JSON, which is YAML."""
    path.write_text(json.dumps(policy, indent=2))
    return path
