#!/bin/bash
# environments/dev is a link into another checkout, whose modules are other ones (older, or changed by hand). They were
# rendered against, planned and applied, while every check called the project's own modules up to date.
# Held for its kind by tests/unit/cli/test_links.py.
. "$(dirname "$0")/../lib.sh"
Y='account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {minimum_password_length: 20}'
up
link="environments/dev: a symbolic link to $W/"
password_policy() {
  aws_py <<'X'
iam = client("iam")
try:
    print(iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"])
except iam.exceptions.NoSuchEntityException:
    print("none")
X
}
refused() {
  for command in "render dev" "render --check dev" "validate dev" "plan dev" "apply dev --auto-approve" "destroy dev --auto-approve" "drift dev" "output dev"; do
    # shellcheck disable=SC2086 # words
    run $command
    want "\`$command\` refuses the link ($1)" exit_code 1
    want "and names it" says "$link"
  done
  run doctor
  want "\`doctor\` refuses the link ($1)" exit_code 1
  want "and names it" says "$link"
}
echo "## no modules where the link leads"
mkdir -p "$W/alone/environments/dev"; echo "$Y" > "$W/alone/environments/dev/environment.yaml"; ln -s "$W/alone/environments/dev" environments/dev
refused "to an environment without modules"
want "nothing was written where it leads" test "$(ls -A "$W/alone/environments/dev")" = environment.yaml
echo "## another checkout's modules there, one of them changed by hand"
rm environments/dev; mkdir -p "$W/other/environments/dev"; cp -r modules "$W/other/modules"; echo "$Y" > "$W/other/environments/dev/environment.yaml"; ln -s "$W/other/environments/dev" environments/dev
sed -i 's/= var.minimum_password_length/= 6/' "$W/other/modules/password_policy/main.tf"
refused "to another checkout"
want "the account has no password policy" test "$(password_policy)" = none
echo "## the modules themselves are a link"
rm environments/dev; echo "$Y" | env_file dev; mv modules own; ln -s "$W/other/modules" modules
run plan dev
want "modules/ as a link is refused" exit_code 1
want "and named" says "modules: a symbolic link to $W/other/modules"
rm modules; mv own modules; mv modules/password_policy own; ln -s "$W/other/modules/password_policy" modules/password_policy
run apply dev --auto-approve
want "so is one of them" exit_code 1
want "and named" says "modules/password_policy: a symbolic link to $W/other/modules/password_policy"
echo "## the environment itself, in the project, reached by a link above it"
rm modules/password_policy; mv own modules/password_policy; ln -s "$W/p" "$W/way"
run -C "$W/way" apply dev --auto-approve
want "is applied" exit_code 0
want "as environment.yaml has it" test "$(password_policy)" = 20
