"""Servers that tests start."""

import subprocess


def end(process):
    """Asks a server to end; one that does not is killed."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
