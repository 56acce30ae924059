#!/usr/bin/env python3
"""What a handshake costs the gateway, as instructions and as time, and what sessions cost in memory.

    python3 Tests/Benchmarks/handshakes.py [--bars]

Builds HandshakeBenchmark and runs it for each kind of client, by itself and under callgrind (Debian package
valgrind), which counts the server's part alone: from the session's beginning to its end, with one byte of data.
Instructions repeat within 1 %, times do not; the ratios are to a handshake without anything remembered. With
--bars, a count of OpenSSL's instructions over its bar ends it with 1, and so does an idle connection that costs more
for resumption.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRATCH = ROOT / ".build-benchmarks"
BINARY = SCRATCH / "release" / "HandshakeBenchmark"
# Millions of instructions within OpenSSL 3.0: careful work without cryptography of one's own comes to less.
BARS = {"plain": None, "unknown": 6.0, "known": 5.0, "resumed": 2.3}
COUNT, COUNT_TIMED = 20, 500
MEMORY = {"idle-plain": 1000, "idle": 1000, "sessions": 1000, "memory": 10_000}
OPENSSL = ("libssl", "libcrypto", "libc.so", "libc-2", "ld-linux", "vgpreload")


def build():
    subprocess.run(
        ["swift", "build", "-c", "release", "--scratch-path", SCRATCH, "--product", "HandshakeBenchmark"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COUNTERSIGN_BENCHMARKS": "1"})


def run(*words):
    return subprocess.run([BINARY, *map(str, words)], check=True, capture_output=True, text=True).stdout


def count(kind):
    """Millions of instructions per handshake: in all, and those of OpenSSL and of the C library that it calls."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "out"
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", "--toggle-collect=*serving*",
             BINARY, kind, str(COUNT)], check=True, capture_output=True)
        table = subprocess.run(
            ["callgrind_annotate", "--threshold=100", output], check=True, capture_output=True, text=True).stdout
    total = int(re.search(r"^\s*([\d,]+).*PROGRAM TOTALS", table, re.M)[1].replace(",", ""))
    openssl = sum(
        int(line.split()[0].replace(",", "")) for line in table.splitlines()
        if re.match(r"\s*[\d,]+ ", line) and any(name in line.rpartition("[")[2] for name in OPENSSL))
    return total / COUNT / 1e6, openssl / COUNT / 1e6


def main():
    build()
    worst, base = 0, None
    print(f"{'client':10}{'CPU us':>8}{'ratio':>8}{'M instr.':>10}{'ratio':>8}{'OpenSSL':>10}{'bar':>7}")
    for kind, bar in BARS.items():
        time = min(float(run(kind, COUNT_TIMED).split()[1]) for _ in range(3))
        total, openssl = count(kind)
        base = base or (time, total)
        print(f"{kind:10}{time:8.0f}{time / base[0]:8.2f}{total:10.2f}{total / base[1]:8.2f}{openssl:10.2f}{bar or '':>7}")
        worst = max(worst, openssl / bar if bar else 0)
    told = {kind: run(kind, rounds) for kind, rounds in MEMORY.items()}
    print(*told.values(), sep="", end="")
    # Whatever is remembered of a connection is remembered once.
    grown = int(told["idle"].split()[0]) - int(told["idle-plain"].split()[0])
    return 1 if (worst > 1 or grown > 2048) and "--bars" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
