#!/bin/bash
# IAM does not distinguish names by case (CreateGroup, CreateUser, CreateRole, CreatePolicy): in the account, and in one
# file. The kind is held by tests/unit/aws/test_names.py.
. "$(dirname "$0")/../lib.sh"
users() { env_file dev <<Y
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  iam_groups: {}
  mfa_enforcement: {}
  iam_users:
    users:
      alice: {groups: [developers], owner: owner@example.com, review_date: "2099-06-30"}
${1:-}
Y
}
users
up
aws_py <<'X'
i = client("iam")
i.create_group(GroupName="Administrators"); i.create_user(UserName="Alice")
i.create_policy(PolicyName="MFA-Enforcement", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}))
X
run plan dev
want "the plan is refused (exit code 4)" exit_code 4
want "the group Administrators collides" says "The account has the group 'Administrators' already"
want "the user Alice collides" says "The account has the user 'Alice' already"
want "the policy MFA-Enforcement collides" says "The account has the policy 'MFA-Enforcement' already"
want "the spelling of the account is named, with the line to import" says "spell it 'Alice' in environment.yaml.*this\[\"Alice\"\]': 'Alice'"
users '      Alice: {groups: [developers], owner: owner@example.com, review_date: "2099-06-30"}'
run validate dev
want "two users of one file that differ by case are refused" exit_code 1
want "the line of the second is named" says "environment.yaml:10: .*'Alice' is 'alice'"
