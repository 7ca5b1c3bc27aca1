#!/usr/bin/env bash
# Runs every test, and fails where one that exists did not run.
#
#   tests/setup/run-tests.sh cargo --release --locked
#
# The tests under `exclusive::` (windows, sound devices) come last, one at a time.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=$1
shift
mkdir -p target
log=target/tests.log
rm -f "$log" target/gpu-tests.log
# The tests that draw or compute on a GPU note their name and the adapter.
export TAGSCAPE_GPU_TEST_LOG="$PWD/target/gpu-tests.log"

"$cargo" test "$@" -- --skip exclusive:: 2>&1 | tee "$log"
"$cargo" test "$@" --test integration -- --test-threads=1 exclusive:: 2>&1 | tee -a "$log"

listed=$("$cargo" test --quiet "$@" -- --list 2>/dev/null | grep -c ': test$')
passed=0
for count in $(sed -n 's/^test result: ok\. \([0-9]*\) passed;.*/\1/p' "$log"); do
    passed=$((passed + count))
done
if [ "$passed" -ne "$listed" ]; then
    echo "tests: $passed of $listed passed; the others were skipped or filtered out" >&2
    exit 1
fi
if [ ! -s target/gpu-tests.log ]; then
    echo 'tests: none used a GPU' >&2
    exit 1
fi
adapters=$(cut -f2 target/gpu-tests.log | sort -u | paste -sd, -)
echo "tests: all $listed passed; GPU tests: $(cut -f1 target/gpu-tests.log | sort -u | wc -l) on $adapters"
