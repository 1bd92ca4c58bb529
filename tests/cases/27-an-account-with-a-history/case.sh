#!/bin/bash
# An account that others configured gets its baseline: docs/existing-account.md, command by command, and each line that it
# shows. What overwrites and collides is held, for its whole kind, by tests/unit/plan/test_remedies.py and tests/unit/aws.
. "$(dirname "$0")/../lib.sh"
export PATH="$(dirname "$T"):$PATH"
while IFS=$'\t' read -r result what; do
  case $result in
    ok | missed) want "$what" [ "$result" = ok ] ;;
    *) echo "$result${what:+ $what}" ;;
  esac
done < <("$PY" "$CASE/walk.py" "$CASE/../../../docs/existing-account.md")
