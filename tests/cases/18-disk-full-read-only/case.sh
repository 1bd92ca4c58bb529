#!/bin/bash
# Wants root on Linux (mount of a small tmpfs). The disk fills while planning and while applying; it becomes read-only.
# The whole kind: tests/unit/terraform/test_unsaved.py, tests/unit/test_files.py.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$W/small"
if ! mount -t tmpfs -o size=6m tmpfs "$W/small" 2>/dev/null; then
  echo "skipped: may not mount a tmpfs here"; HELD=1; exit 0
fi
trap '(cd "$W/small/p" 2>/dev/null && "$T" sandbox down >/dev/null 2>&1); cd /; umount "$W/small"; finish' EXIT
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {}
  iam_groups: {}
Y
cp -r . "$W/small/p"; cd "$W/small/p"; up
F=$(realpath environments/dev)/errored.tfstate
fill() { rm -f ../fill; dd if=/dev/zero of=../fill bs=1k count=$(( $(df --output=avail -k . | tail -1) - $1 )) 2>/dev/null; }
anew() { "$T" sandbox down >/dev/null 2>&1; rm -rf environments/dev/*tfstate* environments/dev/.terraform* environments/dev/.toolkit environments/dev/rendered/errored* *.tfbundle; up; }
not() { ! "$@"; }
groups() { aws_py <<'X'
print(len(client("iam").list_groups()["Groups"]))
X
}
no_dump() { ! grep -rqE '"lineage"|Emergency state dump' environments/dev/.toolkit/logs; }

echo "## full while planning, 120 KiB left"
fill 120; run plan dev | tail -4; OUT=$("$T" plan dev 2>&1); CODE=$?; rm -f ../fill
want "it is an error" exit_code 1
want "which names the cause" says 'no space is left|No space left'
want "and not JSON" silent_about 'not JSON|defect|internal error'

echo "## full before applying, 60 KiB left"
anew; "$T" plan dev --out b.tfbundle >/dev/null 2>&1
fill 60; OUT=$("$T" apply dev --plan b.tfbundle 2>&1); CODE=$?; echo "$OUT" | tail -4; rm -f ../fill
want "it is an error" exit_code 1
want "which names the cause" says 'no space is left|No space left'
want "and not JSON" silent_about 'not JSON|defect|internal error'
want "nothing was applied" test "$(groups)" = 0

echo "## full while applying"
anew; "$T" plan dev --out b.tfbundle >/dev/null 2>&1
("$T" apply dev --plan b.tfbundle >"$W/out" 2>&1; echo $? >"$W/code") & A=$!
for _ in $(seq 2000); do grep -q 'created module' "$W/out" 2>/dev/null && break; sleep 0.01; done
fill 4; wait $A; OUT=$(cat "$W/out"); CODE=$(cat "$W/code"); grep -v '\] .*created ' "$W/out" | cut -c1-300 | tail -40; echo "(exit code $CODE)"
df -k . | tail -1; ls -la environments/dev environments/dev/rendered | grep tfstate
want "it is an error" exit_code 1
want "which names the cause" says 'no space left on device'
want "says that the state was not saved" says 'the state could NOT be saved'
want "does not say that it was" silent_about 'is in the state|[Pp]lan again'
want "the state is not in the output" silent_about '"lineage"|Emergency state dump|"version":'
want "nor in a log" no_dump
K=$(grep -oE 'toolkit state restore dev \S+' "$W/out" | head -1 | cut -d' ' -f5)
want "it is kept, for its owner only" test "$(stat -c %a "${K:-/nowhere}" 2>/dev/null)" = 600
rm -f ../fill
run plan dev | tail -3; CODE=$("$T" plan dev >/dev/null 2>&1; echo $?)
want "a plan is refused as long as it lies there" exit_code 6
OUT=$("$T" state restore dev "$K" 2>&1); CODE=$?; echo "$OUT"
want "it is restored" exit_code 0
want "and gone" not test -e "$K"
"$T" plan dev --detailed-exitcode >"$W/planned" 2>&1; CODE=$?; OUT=$(cat "$W/planned"); tail -4 "$W/planned"
want "a plan knows what was created" eval '! grep -qE "create .*aws_iam_group\.this" "$W/planned"'
want "and nothing that was is created again" silent_about "has the group .* already"
"$T" apply dev --auto-approve >"$W/applied" 2>&1; CODE=$?; tail -3 "$W/applied"
want "the rest is applied" exit_code 0

echo "## read-only"
mkdir "$W/ro"; mount --bind "$W/small" "$W/ro"; mount -o remount,bind,ro "$W/ro"
OUT=$(cd "$W/ro/p" && "$T" plan dev 2>&1); CODE=$?; echo "$OUT" | tail -3
umount "$W/ro"
want "it is an error" exit_code 1
want "which names the cause" says '[Rr]ead-only'
want "and is no defect" silent_about 'defect|internal error|not JSON'
