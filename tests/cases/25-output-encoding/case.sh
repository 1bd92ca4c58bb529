#!/usr/bin/env bash
# Output that is no UTF-8: a Latin-1 or ASCII terminal or pipeline. Commands ended with UnicodeEncodeError, which was
# called a defect of the toolkit, half of their work done.
# Held for every encoding by tests/unit/cli/test_stream.py.
. "$(dirname "$0")/../lib.sh"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
default_tags: {Team: "Zürich-Süd"}
components:
  password_policy: {}
Y
up
encoded() { "$PY" -c 'import sys; sys.stdin.buffer.read().decode(sys.argv[1])' "$1" <<<"$OUT"; }
for encoding in ascii latin-1 cp1252; do
  export PYTHONIOENCODING=$encoding:strict
  for command in "components password_policy" doctor "render dev" "validate dev" "plan dev --out b-$encoding.tfbundle" \
    "show b-$encoding.tfbundle" "apply dev --plan b-$encoding.tfbundle" "drift dev" "controls dev" "output dev" \
    "destroy dev --auto-approve"; do
    run $command
    want "$encoding, $command: works" exit_code 0
    want "$encoding, $command: no internal error" silent_about "internal error|UnicodeEncodeError|Traceback"
    want "$encoding, $command: nothing but $encoding" encoded "$encoding"
  done
done
