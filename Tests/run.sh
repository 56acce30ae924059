#!/bin/bash
# Installs what the tests need and runs them all: the modules' own, then the built binary against real servers.
#   Tests/run.sh                      everything
#   Tests/run.sh unit [ARGUMENT...]   only the modules' own (arguments go to `swift test`)
#   Tests/run.sh integration [ARG...] only the binary's (arguments go to pytest)
# The last line is "N passed, 0 failed".
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
[ $# -eq 0 ] || shift

Tests/packages.sh libssl-dev libpcre2-dev pkg-config redis-server redis-tools openssl curl systemd \
  python3 python3-venv strace \
  postgresql postgresql-client postgresql-contrib haproxy mariadb-server mariadb-client

logs=.build-tests
mkdir -p "$logs"
passed=0

# Builds before it runs, so that a compile error is not lost among tests.
unit() {
  swift build --build-tests
  swift test --skip-build "$@" 2>&1 | tee "$logs/unit.log"
  local ran
  ran=$(sed -n 's/.*Test run with \([0-9][0-9]*\) tests* .*passed.*/\1/p' "$logs/unit.log" | tail -n 1)
  [ -n "$ran" ] && [ "$ran" -gt 0 ] || { echo "no test of the modules ran" >&2; exit 1; }
  ! grep -q ' skipped' "$logs/unit.log" || { echo "a test was skipped" >&2; exit 1; }
  passed=$((passed + ran))
}

integration() {
  swift build --product countersign
  if [ ! -x .build-venv/bin/pytest ] || ! cmp -s Tests/Integration/requirements.txt .build-venv/installed; then
    python3 -m venv .build-venv
    .build-venv/bin/pip install --quiet --disable-pip-version-check -r Tests/Integration/requirements.txt
    cp Tests/Integration/requirements.txt .build-venv/installed
  fi
  COUNTERSIGN="$(swift build --show-bin-path)/countersign" \
    .build-venv/bin/pytest Tests/Integration -q -p no:cacheprovider --junitxml="$logs/integration.xml" "$@"
  local ran
  ran=$(.build-venv/bin/python - "$logs/integration.xml" <<'PYTHON'
import sys
import xml.etree.ElementTree as ElementTree

suite = ElementTree.parse(sys.argv[1]).getroot().find("testsuite")
counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
if counts["failures"] or counts["errors"] or counts["skipped"] or not counts["tests"]:
    sys.exit(f"not every test passed: {counts}")
print(counts["tests"])
PYTHON
  )
  passed=$((passed + ran))
}

case "$what" in
  all) unit; integration ;;
  unit) unit "$@" ;;
  integration) integration "$@" ;;
  *) echo "usage: Tests/run.sh [unit|integration [ARGUMENT...]]" >&2; exit 64 ;;
esac
echo "$passed passed, 0 failed"
