#!/usr/bin/env bash
# Installs the trainer's packages into .venv here, by their hashes, and checks the trainer. The last line counts.
set -uo pipefail
cd "$(dirname "$0")"
# uv fetches side by side and keeps what it fetched: the CUDA libraries of PyTorch are 3 GB
if ! { python3 -m venv .venv && .venv/bin/pip install --quiet --require-hashes --no-deps -r <(grep -A 100 '^uv==' requirements-dev.txt) \
  && .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.txt -r requirements-dev.txt; }; then
  echo "FAILED  packages of the PyTorch trainer"
  echo "0 passed, 1 failed"
  exit 1
fi
passed=0
failed=0
check() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "passed  PyTorch trainer: $name"
  else
    failed=$((failed + 1))
    echo "FAILED  PyTorch trainer: $name"
  fi
}
check format .venv/bin/ruff format --check --quiet .
check lint .venv/bin/ruff check --quiet .
check types .venv/bin/mypy darkroom_trainer tests
report=$(mktemp)
trap 'rm -f "$report"' EXIT
check tests .venv/bin/pytest --quiet --show-capture=no --junitxml="$report" tests
# the tests one by one, instead of the one check that they are together
counts=$(sed -n 's/.*<testsuite [^>]*errors="\([0-9]*\)" failures="\([0-9]*\)" skipped="\([0-9]*\)" tests="\([0-9]*\)".*/\1 \2 \3 \4/p' "$report" | head -1)
if [ -n "$counts" ]; then
  read -r errors failures skipped tests <<< "$counts"
  [ $((errors + failures)) = 0 ] && passed=$((passed - 1))
  [ $((errors + failures)) -gt 0 ] && failed=$((failed - 1))
  passed=$((passed + tests - errors - failures - skipped))
  failed=$((failed + errors + failures))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
