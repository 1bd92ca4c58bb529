#!/usr/bin/env bash
# What surrounds a shell command: stdout full, closed, or read by something that stops; no HOME, the C locale, a dumb
# terminal, a umask of 000 or 777. A bundle was kept of a plan that nobody saw, and folders were anybody's to write.
# Held by tests/unit/cli/test_stream.py and tests/unit/workflows/test_plan.py.
. "$(dirname "$0")/../lib.sh"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
default_tags: {Team: "Zürich-Süd"}
components:
  password_policy: {}
  iam_groups: {}
Y
BUNDLE=environments/dev/.toolkit/plan.tfbundle
no_file() { [ ! -e "$1" ]; }
full() { OUT=$("$T" "$@" 2>&1 >/dev/full); CODE=$?; echo "\$ toolkit $* >/dev/full"; echo "$OUT" | tail -3; }
closed() { OUT=$("$T" "$@" 2>&1 >&-); CODE=$?; echo "\$ toolkit $* >&-"; echo "$OUT" | tail -3; }
for command in components "components cloudtrail" schema "components --json" --help doctor; do
  full $command
  want "$command >/dev/full: names the reason" says "cannot write to standard output: No space left on device"
  want "$command >/dev/full: ends with 1" exit_code 1
  closed $command
  want "$command >&-: names the reason" says "cannot write to standard output: it is closed"
  want "$command >&-: ends with 1" exit_code 1
  OUT=$("$T" $command 2>&1 >/dev/null | head -0)
  want "$command | head: without a word" silent_about "."
done
up
full plan dev --json
want "a plan that could not be shown ends with 1" exit_code 1
want "and names the reason" says "cannot write to standard output: No space left on device"
want "and leaves no bundle" no_file "$BUNDLE"
closed plan dev
want "neither does one with stdout closed" no_file "$BUNDLE"
full apply dev --auto-approve
want "nothing is applied that could not be shown" exit_code 1
run plan dev --detailed-exitcode
want "all of it is still to be applied" exit_code 2
rm -f "$BUNDLE"
clean() { want "$1" exit_code 0; want "$1: no internal error" silent_about "internal error|Traceback|UnicodeEncodeError"; }
OUT=$(env -u HOME "$T" plan dev 2>&1); CODE=$?; clean "without HOME"
OUT=$(HOME=/nonexistent "$T" plan dev 2>&1); CODE=$?; clean "with a HOME that is not there"
OUT=$(LC_ALL=C LANG=C "$T" plan dev 2>&1); CODE=$?; clean "in the C locale"
OUT=$(LC_ALL=POSIX PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 "$T" plan dev 2>&1); CODE=$?; clean "in the POSIX locale, without UTF-8"
OUT=$(PYTHONIOENCODING=latin-1 "$T" plan dev -v 2>&1); CODE=$?; clean "in Latin-1"
OUT=$(PYTHONIOENCODING=ascii:strict "$T" plan dev 2>&1); CODE=$?; clean "in strict ASCII"
OUT=$(script -qec "env TERM=dumb $T plan dev" /dev/null </dev/null 2>&1); CODE=$?; clean "in a dumb terminal"
want "in a dumb terminal: no escape sequence" silent_about $'\x1b'
OUT=$(umask 000; rm -rf environments/dev/.toolkit environments/dev/rendered; "$T" plan dev --out b.tfbundle 2>&1); CODE=$?; clean "with umask 000"
open_to_others() { find "$@" -path '*/.terraform' -prune -o -perm /022 ! -type l -print; }
want "with umask 000: nothing that the group or others may write" [ -z "$(open_to_others environments/dev/rendered environments/dev/.toolkit b.tfbundle)" ]
OUT=$(umask 777; "$T" plan dev --out c.tfbundle 2>&1); CODE=$?; clean "with umask 777"
want "with umask 777: the bundle can be read" "$T" show c.tfbundle
