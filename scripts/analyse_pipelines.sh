#!/usr/bin/env bash
# Writes every kind and variant of pipeline, and checks each: GitHub's with zizmor and against its schema, GitLab's against
# its schema. So is action.yml. The variants are those of tests/unit/workflows/test_pipeline.py. ACTIONLINT may be a command
# that runs actionlint: GitHub's are then checked with it, too.
set -euo pipefail
toolkit=$(realpath -s "${1:?the toolkit}") tools=$(realpath -s "${2:?folder with zizmor and check-jsonschema}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

variants=(
  ""
  "bundle: {to: 's3://acme-plans/baseline/', kms_key: alias/bundles}"
  $'branch: trunk\nrunner: [self-hosted, linux]\nrepository: example/accounts\npackage: toolkit-1.whl\npull_request: all\ncache: false\nshards: 2\nnightly: {cron: "5 3 * * 1-5", fail_on: critical}'
  "nightly: {enabled: false}"
  "bundle: {sign: github}"
  "bundle: {sign: kms, signing_key: alias/plans}"
)
for number in "${!variants[@]}"; do
  project=$folder/$number
  for environment in prod stage try; do
    mkdir -p "$project/environments/$environment"
    printf 'account_id: "111122223333"\nregions: {home: eu-west-1}\nlabels: {ring: %s}\ncomponents: {}\n' "$environment" \
      > "$project/environments/$environment/environment.yaml"
  done
  # With and without waves.
  if [ "$number" != 0 ]; then printf 'waves:\n  - {name: first, where: {ring: [try]}}\n' > "$project/fleet.yaml"; fi
  if [ -n "${variants[number]}" ]; then printf '%s\n' "${variants[number]}" > "$project/pipeline.yaml"; fi
  for kind in github gitlab codebuild; do
    # An attestation of GitHub is of GitHub alone; a key signs where no pull request could use it.
    if [[ ${variants[number]} == *"sign: github"* && $kind != github ]]; then continue; fi
    if [[ ${variants[number]} == *"sign: kms"* && $kind != codebuild ]]; then continue; fi
    "$toolkit" -C "$project" pipeline "$kind" >/dev/null
  done
done
"$tools/zizmor" --quiet --offline --persona pedantic "$folder" action.yml
"$tools/check-jsonschema" --builtin-schema vendor.github-workflows "$folder"/*/.github/workflows/*.yml
"$tools/check-jsonschema" --builtin-schema vendor.github-actions action.yml
"$tools/check-jsonschema" --builtin-schema vendor.gitlab-ci "$folder"/*/.gitlab-ci.yml
if [ -n "${ACTIONLINT:-}" ]; then
  for workflow in "$folder"/*/.github/workflows/*.yml; do $ACTIONLINT "$workflow"; done
fi
