#!/bin/sh
# Builds the fuzz targets and runs each over its kept corpus, then over new inputs made from it, for a bounded
# number of runs. Fails on any crash, broken promise, leak or hang, and keeps the input in .build-fuzz/crashes.
#   Tests/Fuzz/run.sh [TARGET...]      FUZZ_RUNS=20000 FUZZ_SECONDS=20 set the bounds
set -eu
cd "$(dirname "$0")/../.."
runs=${FUZZ_RUNS:-20000}
seconds=${FUZZ_SECONDS:-20}
targets=${*:-$(cd Tests/Fuzz && ls -d Fuzz*)}
export COUNTERSIGN_FUZZ=1
# A crash is libFuzzer's to report: Swift's own reporter trips over AddressSanitizer, and may wait for ever.
export SWIFT_BACKTRACE=enable=no
scratch=.build-fuzz
mkdir -p "$scratch/crashes" "$scratch/logs"
report=""
failed=""
for target in $targets; do
  swift build --scratch-path "$scratch" --product "$target"
  corpus="Tests/Fuzz/Corpus/$target"
  seeds=$(find "$corpus" -type f | wc -l)
  [ "$seeds" -gt 0 ] || { echo "$corpus holds no seeds" >&2; exit 1; }
  dictionary="Tests/Fuzz/Dictionaries/$target.dict"
  # New inputs go to a folder of their own: the kept corpus changes by hand only.
  mkdir -p "$scratch/found/$target"
  log="$scratch/logs/$target"
  status=0
  timeout -k 5 "$((seconds + 60))" "$(swift build --scratch-path "$scratch" --show-bin-path)/$target" \
    -runs="$runs" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$scratch/crashes/$target-" $([ -f "$dictionary" ] && echo "-dict=$dictionary") \
    "$scratch/found/$target" "$corpus" >"$log" 2>&1 || status=$?
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$status" -ne 0 ] || [ -z "$executed" ] || [ "$executed" -lt "$seeds" ]; then
    tail -n 60 "$log" >&2
    failed="$failed $target"
  fi
  report="$report$target: ${executed:-0} inputs executed, $seeds of them kept seeds
"
done
printf '%s' "$report"
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
