# Sourced by every case.sh: bash tests/cases/NN-name/case.sh [PATH/OF/toolkit]
# Makes a project in a scratch folder with an embedded AWS of its own; what it starts, it stops. Prints each wanted line
# as "ok" or "MISSED", and exits with 1 if one was missed.
set -u
CASE=$(cd "$(dirname "$0")" && pwd)
T=$(realpath -s "${1:-$CASE/../../../.venv/bin/toolkit}"); PY=$(dirname "$T")/python
W=$(mktemp -d); MISSED=0; HELD=0
export TMPDIR=${TMPDIR:-/tmp}
finish() {
  local status=$?
  (cd "$W/p" 2>/dev/null && "$T" sandbox down >/dev/null 2>&1)
  cd / && rm -rf "$W"
  echo "$(basename "$CASE"): $HELD wanted lines, $MISSED missed"
  [ "$status" -eq 0 ] && [ "$MISSED" -eq 0 ] && [ "$HELD" -gt 0 ] || exit 1
}
trap finish EXIT
cd "$W" && "$T" init p --pipeline none >/dev/null && cd p || exit 1

# env_file NAME < YAML
env_file() { mkdir -p "environments/$1"; cat > "environments/$1/environment.yaml"; }
up() { "$T" sandbox up "$@" >/dev/null || exit 1; }

# boto3 against the embedded AWS: `aws_py <<'X'` with client("iam") at hand
aws_py() {
  local url
  url=$("$T" sandbox status --json | "$PY" -c 'import json,sys; print(json.load(sys.stdin)["endpoint"])')
  { cat <<X
import json, boto3, os
os.environ["HTTP_PROXY"] = "$url"
def client(name, region="eu-central-1"):
    return boto3.client(name, endpoint_url="$url", region_name=region, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
X
    cat; } | "$PY" -
}

# run ARGUMENTS: runs the toolkit; its output is shown and kept in $OUT, its exit code in $CODE
run() { echo "\$ toolkit $*"; OUT=$("$T" "$@" 2>&1); CODE=$?; printf '%s\n(exit code %s)\n' "$OUT" "$CODE"; }

# want WHAT COMMAND…: a line that tells whether the command succeeds
want() {
  local what=$1; shift
  if "$@"; then HELD=$((HELD + 1)); echo "ok      $what"; else HELD=$((HELD + 1)); MISSED=$((MISSED + 1)); echo "MISSED  $what"; fi
}
# Conditions for `want`
exit_code() { [ "$CODE" -eq "$1" ]; }
says() { grep -qE -- "$1" <<<"$OUT"; }
silent_about() { ! grep -qE -- "$1" <<<"$OUT"; }
