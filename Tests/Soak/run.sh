#!/bin/bash
# Runs the soak: churn, transfers, resets, floods, hostile and half-open clients, a killed upstream, changed policies
# and renamed logs at once, before a real Redis and a real PostgreSQL. At the end every connection has ended in the
# log, and descriptors and memory are those of the warm-up.
#   Tests/Soak/run.sh [SECONDS]     1800 unless given; Tests/run.sh runs half a minute of it
set -euo pipefail
cd "$(dirname "$0")/../.."
SOAK_SECONDS=${1:-1800} Tests/run.sh integration -s -k test_soak
