#!/bin/bash
# The state cannot be written at the end of an apply (on AWS: the session has expired, the bucket's policy was changed).
# Here its bucket vanishes meanwhile. The whole kind: tests/unit/terraform/test_unsaved.py, tests/unit/workflows/test_restore.py.
. "$(dirname "$0")/../lib.sh"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
backend: {type: s3, bucket: example-terraform-state, region: eu-central-1}
components:
  iam_groups: {}
  cloudtrail: {bucket: {force_destroy: true}}
Y
up
run bootstrap dev --auto-approve | tail -3
"$T" plan dev --out b.tfbundle 2>&1 | tail -1
("$T" apply dev --plan b.tfbundle >out 2>&1; echo $? >code) & A=$!
for _ in $(seq 100); do grep -q 'created module.iam_groups' out 2>/dev/null && break; sleep 0.2; done
aws_py <<'X'
s = client("s3")
for v in s.list_object_versions(Bucket="example-terraform-state").get("Versions", []): s.delete_object(Bucket="example-terraform-state", Key=v["Key"], VersionId=v["VersionId"])
for v in s.list_object_versions(Bucket="example-terraform-state").get("DeleteMarkers", []): s.delete_object(Bucket="example-terraform-state", Key=v["Key"], VersionId=v["VersionId"])
s.delete_bucket(Bucket="example-terraform-state")
X
wait $A; OUT=$(cat out); CODE=$(cat code); grep -vE '\] .*created ' out | cut -c1-700 | tail -60; echo "(exit code $CODE)"
F=$(realpath environments/dev)/errored.tfstate
kept() { [ -s "$F" ] && [ "$(stat -c %a "$F")" = 600 ]; }
not() { ! "$@"; }
want "the apply fails" exit_code 1
want "and says that the state was not saved" says 'the state could NOT be saved'
want "and does not say that it was" silent_about 'is in the state|[Pp]lan again'
want "names what it did" says 'create module\.iam_groups\.aws_iam_group\.this\["administrators"\]'
want "names the one command" says "toolkit state restore dev $F"
want "does not send people to terraform state push" silent_about 'state push'
want "the state is kept, for its owner only" kept
want "git ignores it" eval "git init -q . && git check-ignore -q '$F'"

echo "## as long as it lies there"
aws_py <<'X'
client("s3").create_bucket(Bucket="example-terraform-state", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
X
run bootstrap dev --auto-approve | tail -3
for command in "plan dev" "apply dev --auto-approve" "apply dev --plan b.tfbundle" "destroy dev --auto-approve" "drift dev"; do
  run $command | tail -3; CODE=$("$T" $command >/dev/null 2>&1; echo $?); OUT=$("$T" $command 2>&1)
  want "$command is refused" exit_code 6
  want "$command names the file and the command" says "toolkit state restore dev $F"
done
OUT=$("$T" doctor 2>&1); want "doctor names it" says "toolkit state restore dev $F"

echo "## restored"
OUT=$("$T" state restore dev "$F" 2>&1); CODE=$?; echo "$OUT"
want "the state is restored" exit_code 0
want "and says so" says 'Restored s3://example-terraform-state/dev/baseline.tfstate'
want "the file is gone" not test -e "$F"
OUT=$("$T" plan dev 2>&1); CODE=$?; tail -5 <<<"$OUT"
want "the plan finds everything again" says '^0 to add, 0 to change, 0 to destroy'
