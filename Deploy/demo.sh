#!/bin/sh
# Installs what the build needs, builds the gateway, and shows it at work. Arguments go to `countersign demo`.
set -eu
cd "$(dirname "$0")/.."
command -v swift >/dev/null || { echo "Deploy/demo.sh: Swift 6.2 or later is needed: https://swift.org/install" >&2; exit 1; }
Tests/packages.sh libssl-dev libpcre2-dev pkg-config
swift build -c release --product countersign
exec "$(swift build -c release --show-bin-path)/countersign" demo "$@"
