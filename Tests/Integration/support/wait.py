"""Waiting for a state instead of for a time."""

import time


def wait_until(reached, timeout=30.0, what="the state"):
    """Returns the first true answer of `reached`; fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        answer = reached()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} was not reached within {timeout} s")
        time.sleep(0.005)
