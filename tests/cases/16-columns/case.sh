#!/usr/bin/env bash
# A width of 0 columns: COLUMNS=0, or a terminal that tells no size (docker exec, a serial console, a pipeline's
# pseudo-terminal). The plan was printed as nothing, and approval was asked for it.
# Held for every width by tests/unit/cli/test_stream.py.
. "$(dirname "$0")/../lib.sh"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {minimum_password_length: 14}
Y
up
aws_py <<'X'
client("iam").update_account_password_policy(MinimumPasswordLength=24)
X
same_words() { [ "$(COLUMNS=$1 "$T" $2 2>&1 | wc -w)" -eq "$(COLUMNS=80 "$T" $2 2>&1 | wc -w)" ]; }
for width in 0 1 -1 x; do
  COLUMNS=$width run plan dev
  want "COLUMNS=$width: the plan is shown and refused" says "minimum_password_length"
  want "COLUMNS=$width: with the exit code of a refusal" exit_code 4
done
for width in 0 1; do
  for command in components "components password_policy" doctor --help "sandbox status"; do
    want "COLUMNS=$width $command: as many words as with 80" same_words "$width" "$command"
  done
done
OUT=$(script -qec "stty cols 0 rows 0; $T plan dev" /dev/null </dev/null 2>&1); echo "$OUT" | tail -5
want "a terminal of 0 columns shows the plan" says "minimum_password_length"
OUT=$(printf 'no\n' | script -qec "env COLUMNS=0 $T apply dev --allow-weaker '*.minimum_password_length'" /dev/null 2>&1); echo "$OUT" | tail -12
want "what is to be approved is shown" says "aws_iam_account_password_policy"
want "and then asked" says "Only 'yes' is accepted"
want "a no applies nothing" says "not approved"
