#!/bin/bash
# IAM does not distinguish tag keys of users by case: default_tags.owner beside the tag Owner of a component; two default
# tags. The kind is held by tests/unit/components/test_tags.py.
. "$(dirname "$0")/../lib.sh"
tags() { env_file dev <<Y
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
default_tags: $1
components:
  iam_users:
    users:
      alice: {owner: owner@example.com, review_date: "2099-06-30"}
Y
}
tagged() {
  OUT=$(aws_py <<'X'
i = client("iam"); print("tags in the account:", {t["Key"]: t["Value"] for t in i.list_user_tags(UserName="alice")["Tags"]})
X
  ); echo "$OUT"
}
up
tags '{owner: platform@example.com}'
run render dev
run validate dev
want "validate says which tag wins" says "default_tags.owner is not set on 1 resource of iam_users, whose own tag Owner"
run apply dev --auto-approve
want "the apply succeeds" exit_code 0
tagged
want "the component's own value is on the user, once" says "\{'owner': 'owner@example.com', 'ReviewDate': '2099-06-30'\}"
run plan dev --detailed-exitcode
want "a second plan is empty" exit_code 0
tags '{Stage: a, stage: b}'
run validate dev
want "two default tags that differ by case are refused" exit_code 1
want "the line of the second is named" says "environment.yaml:4: default_tags.stage: IAM does not distinguish tag keys by case: 'stage' is 'Stage' of line 4"
tags '{Owner: owner@example.com, ReviewDate: "2099-06-30"}'
run apply dev --auto-approve
want "a default tag with the very value is applied" exit_code 0
run plan dev --detailed-exitcode
want "and settles" exit_code 0
