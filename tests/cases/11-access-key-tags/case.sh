#!/bin/bash
# The console keeps the description of an access key as a tag of its user, whose key is the access key's id. The kind, tags
# that AWS writes itself, is held by tests/unit/components/test_tags.py.
. "$(dirname "$0")/../lib.sh"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  iam_users:
    users:
      alice: {owner: owner@example.com, review_date: "2099-06-30"}
Y
up
run apply dev --auto-approve
want "the user is made" exit_code 0
aws_py <<'X'
i = client("iam"); k = i.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
i.tag_user(UserName="alice", Tags=[{"Key": k, "Value": "laptop of Alice"}, {"Key": "awsApplication", "Value": "arn:aws:resource-groups:eu-central-1:123456789012:group/shop/1234"}])
X
run plan dev --detailed-exitcode
want "no change is planned" exit_code 0
run drift dev
want "no drift is reported" exit_code 0
sed -i 's/owner@example.com/other@example.com/' environments/dev/environment.yaml
run apply dev --auto-approve
want "another tag of the user is changed" says "1 updated"
OUT=$(aws_py <<'X'
i = client("iam"); print("tags in the account:", {t["Key"]: t["Value"] for t in i.list_user_tags(UserName="alice")["Tags"]})
X
); echo "$OUT"
want "the description stays" says "'AKIA[A-Z0-9]+': 'laptop of Alice'"
want "the application stays" says "'awsApplication': 'arn:"
want "the change is there" says "'Owner': 'other@example.com'"
