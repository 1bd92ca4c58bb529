#!/bin/bash
# Tags that AWS or the provider cannot hold: an empty default tag, the prefix aws:, other characters, keys twice. The kind is
# held by tests/unit/components/test_tags.py.
. "$(dirname "$0")/../lib.sh"
tags() { env_file dev <<Y
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
default_tags:
  $1
components:
  iam_users:
    users:
      alice: {owner: owner@example.com, review_date: "2099-06-30", tags: $2}
Y
}
up
tags '{Owner: "a@example.com", Stage: "one two", "Kosten Stelle": "ä/=+-@:_."}' '{"x y": a, K: v}'
run apply dev --auto-approve
want "every character that AWS accepts is applied" exit_code 0
OUT=$(aws_py <<'X'
i = client("iam"); print("tags in the account:", {t["Key"]: t["Value"] for t in i.list_user_tags(UserName="alice")["Tags"]})
X
); echo "$OUT"
want "as it was written" says "'Kosten Stelle': 'ä/=\+-@:_.'"
run plan dev --detailed-exitcode
want "a second plan is empty" exit_code 0
refused() {
  tags "$2" "$3"; run render dev
  want "$1: refused" exit_code 1
  want "$1: with its line" says "environment.yaml:$4: "
}
refused "an empty default tag" '{Stage: ""}' '{}' 5
refused "the prefix aws:" '{"aws:cost": "x"}' '{}' 5
refused "the prefix AWS:" '{"AWS:cost": "x"}' '{}' 5
refused "characters" '{Name: "a<b>&\"c{}"}' '{}' 5
refused "two default tags" '{Owner: x, owner: y}' '{}' 5
refused "two tags of a user" '{}' '{Team: x, team: y}' 9
refused "the prefix aws: on a user" '{}' '{"aws:x": y}' 9
refused "an empty tag of a user" '{}' '{Team: ""}' 9
refused "a tag that AWS writes itself" '{}' '{AKIAIOSFODNN7EXAMPLE: laptop}' 9
tags '{ManagedBy: " lead"}' '{}'; run render dev
want "a space in front is a character like others" exit_code 0
