#!/bin/bash
# The home region moves, and the old one retires, in one change; a region is dropped without retiring first. The kind is held
# by tests/unit/rendering/test_regions.py, tests/unit/plan/test_guards.py and tests/unit/terraform/test_failures.py.
. "$(dirname "$0")/../lib.sh"
regions() { env_file dev <<Y
account_id: "123456789012"
regions: $1
simulator: moto
components:
  guardduty: {}
  iam_groups: {}
Y
}
detectors() {
  OUT=$(aws_py <<'X'
print("detectors:", {r: len(client("guardduty", r).list_detectors()["DetectorIds"]) for r in ("eu-central-1", "us-east-1")})
X
  ); echo "$OUT"
}
up
regions '{home: eu-central-1, active: [eu-central-1, us-east-1]}'
run apply dev --auto-approve
want "two regions are applied" exit_code 0

echo "## a region that is not home is dropped"
regions '{home: eu-central-1}'
run plan dev
want "it is one error" says "^Error: us-east-1 is no longer in environment.yaml, but the state has 7 resources there"
want "with the line to write" says "retiring: \[us-east-1\]"
want "rendering warns already" says "us-east-1 was active and is dropped"
want "Terraform's raw words are not repeated" silent_about "registry.terraform.io"

echo "## home and retiring in one change"
regions '{home: eu-central-1, active: [eu-central-1, us-east-1]}'
run plan dev
regions '{home: us-east-1, active: [us-east-1], retiring: [eu-central-1]}'
for command in "render dev" "render --check dev" "plan dev" "plan dev --allow-destroy *" "apply dev --auto-approve --allow-destroy *"; do
  set -f; run $command; set +f
  want "$command: refused" exit_code 1
  want "$command: with its line" says "environment.yaml:2: the home region moves from eu-central-1 to us-east-1"
done
want "the first step is named" says "regions: \{home: us-east-1, active: \[us-east-1, eu-central-1\]\}"
want "the second step is named" says "regions: \{home: us-east-1, active: \[us-east-1\], retiring: \[eu-central-1\]\}"

echo "## the same, when the files of the first step were rendered and never applied"
regions '{home: us-east-1, active: [us-east-1, eu-central-1]}'
run render dev
regions '{home: us-east-1, active: [us-east-1], retiring: [eu-central-1]}'
run plan dev --allow-destroy '*'
want "the plan is refused whatever is consented to" exit_code 4
want "it does not call that a deletion" says "CRITICAL: 7 times in guardduty . eu-central-1: The plan deletes or replaces a resource"
want "no consent is offered" says "consent: none is possible"
want "and where Terraform looked" says "in eu-central-1; Terraform looked for it in us-east-1"
detectors
want "both detectors are there" says "'eu-central-1': 1, 'us-east-1': 1"

echo "## in the two steps that are named, as apply without a bundle does it"
regions '{home: us-east-1, active: [us-east-1, eu-central-1]}'
run plan dev
want "the empty plan says that it is to be applied" says "the state still records another home region"
run apply dev --auto-approve
want "and is applied" says "0 created, 0 updated, 0 deleted"
run plan dev --detailed-exitcode
want "after which nothing is left to record" silent_about "still records another home region"
regions '{home: us-east-1, active: [us-east-1], retiring: [eu-central-1]}'
run plan dev
want "the deletions are refused without consent" exit_code 4
run apply dev --auto-approve --allow-destroy 'module.guardduty_eu_central_1*'
want "and done with it" says "7 deleted"
detectors
want "the detector of the old home is gone" says "'eu-central-1': 0, 'us-east-1': 1"
regions '{home: us-east-1}'
run plan dev --detailed-exitcode
want "then the region may be dropped" exit_code 0
