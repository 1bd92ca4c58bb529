# Pipelines that authenticate through OpenID Connect: the provider signs a token for each run, and there is no secret.
locals {
  # An entry with a pipeline becomes two roles: NAME-plan, which reads, and NAME-apply. Their keys are NAME/plan and
  # NAME/apply, so that a finding about one names the entry.
  deployers = merge(
    { for entry, role in var.deployers : entry => merge(role, { name = entry, part = "", description = "Pipelines of ${role.repository}." }) if role.pipeline == null },
    { for pair in setproduct([for entry, role in var.deployers : entry if role.pipeline != null], ["plan", "apply"]) : join("/", pair) => merge(var.deployers[pair[0]], {
      name             = join("-", pair)
      part             = pair[1]
      bounded          = false
      managed_policies = pair[1] == "plan" ? var.deployers[pair[0]].pipeline.plan_managed_policies : var.deployers[pair[0]].pipeline.apply_managed_policies
      description      = "${pair[1] == "plan" ? "Plans" : "Applies"} the baseline, for pipelines of ${var.deployers[pair[0]].repository}."
    }) },
  )

  issuers = {
    for name, role in local.deployers : name => coalesce(role.issuer, role.provider == "github" ? "token.actions.githubusercontent.com" : "gitlab.com")
  }

  audiences = {
    for name, role in local.deployers : name => coalesce(role.audience, role.provider == "github" ? "sts.amazonaws.com" : role.part != "" ? "https://sts.amazonaws.com" : "https://${local.issuers[name]}")
  }

  # How GitHub's subjects name the repository. Names can be taken over by another owner once they are given up; ids are
  # never used again (GitHub: repositories created, renamed or moved since 2026-07-15, and those that opted in). Source:
  # https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
  formats = { for name, role in local.deployers : name => coalesce(role.subject_format, role.owner_id == null ? "classic" : "immutable") }

  repositories = {
    for name, role in local.deployers : name => concat(
      local.formats[name] == "immutable" ? [] : ["repo:${role.repository}"],
      local.formats[name] == "classic" ? [] : ["repo:${join("/", formatlist("%s@%s", split("/", role.repository), [try(coalesce(role.owner_id), ""), try(coalesce(role.repository_id), "")]))}"],
    ) if role.provider == "github"
  }

  # Of GitHub, the workflow that `toolkit init --pipeline github` writes plans in the environment plan-ENV and applies in
  # aws-ENV. GitLab's subjects name no environment, but the branch.
  pipeline_environments = {
    for name, role in local.deployers : name => role.part == "plan" ? try(coalesce(role.pipeline.plan_environment, "plan-${var.environment_name}"), "") : try(coalesce(role.pipeline.apply_environment, "aws-${var.environment_name}"), "") if role.part != ""
  }

  # Whether pull requests (merge requests of GitLab) may assume a role, too: those that plan.
  for_pull_requests = { for name, role in local.deployers : name => role.part == "plan" && try(role.pipeline.pull_requests, false) }

  # Whole subjects: a wildcard could match a name that another owner can choose. The one wildcard is for merge requests
  # of GitLab, whose tokens name their own branch.
  subjects = {
    for name, role in local.deployers : name => role.provider == "github" ? flatten([for repository in local.repositories[name] : role.part != "" ? ["${repository}:environment:${local.pipeline_environments[name]}"] : concat(
      [for branch in role.branches : "${repository}:ref:refs/heads/${branch}"],
      [for tag in role.tags : "${repository}:ref:refs/tags/${tag}"],
      [for environment in role.environments : "${repository}:environment:${environment}"],
      )]) : concat(
      role.part == "" ? [] : ["project_path:${role.repository}:ref_type:branch:ref:${local.for_pull_requests[name] ? "*" : role.pipeline.branch}"],
      [for branch in role.branches : "project_path:${role.repository}:ref_type:branch:ref:${branch}"],
      [for tag in role.tags : "project_path:${role.repository}:ref_type:tag:ref:${tag}"],
    )
  }

  # Further claims that STS offers as condition keys since 2026: of GitHub, its Enterprise Cloud and gitlab.com. AWS
  # announced them for its commercial regions: in other partitions, `sub` and `aud` decide alone. Sources:
  # https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/ and
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
  has_claims = {
    for name, issuer in local.issuers : name => can(regex(local.deployers[name].provider == "github" ? "^token\\.actions\\.(githubusercontent\\.com(/.+)?|[a-z0-9-]+\\.ghe\\.com)$" : "^gitlab\\.com$", issuer))
  }
  offers_claims = { for name, has in local.has_claims : name => has && local.partition == "aws" }

  # The refs of a pipeline's runs: the branch, and for plans what GitHub makes of a pull request.
  pipeline_refs = {
    for name, role in local.deployers : name => concat(["refs/heads/${role.pipeline.branch}"], local.for_pull_requests[name] ? ["refs/pull/*/merge"] : []) if role.part != ""
  }

  # Which files these runs are of. What is nightly only plans, and only on the branch.
  pipeline_workflows = {
    for name, role in local.deployers : name => flatten([
      [for workflow in role.pipeline.workflows : strcontains(workflow, "@") ? [workflow] : [for ref in local.pipeline_refs[name] : "${role.repository}/.github/workflows/${workflow}@${ref}"]],
      [for workflow in role.pipeline.nightly_workflows : strcontains(workflow, "@") ? workflow : "${role.repository}/.github/workflows/${workflow}@refs/heads/${role.pipeline.branch}" if role.part == "plan" && length(role.pipeline.workflows) > 0],
    ]) if role.part != ""
  }

  # Immutable subjects name both ids already. For pipelines they are here, too: each claim counts by itself.
  pins_ids = { for name, role in local.deployers : name => role.part != "" || local.formats[name] != "immutable" }

  wanted_claims = {
    for name, role in local.deployers : name => { for claim, values in {
      repository_id       = role.provider == "github" && local.pins_ids[name] ? compact([role.repository_id]) : []
      repository_owner_id = role.provider == "github" && local.pins_ids[name] ? compact([role.owner_id]) : []
      environment         = role.provider == "github" ? compact([lookup(local.pipeline_environments, name, "")]) : []
      ref                 = role.provider == "github" ? lookup(local.pipeline_refs, name, []) : []
      job_workflow_ref    = role.provider == "github" ? lookup(local.pipeline_workflows, name, []) : []
      project_id          = role.provider == "gitlab" ? compact([role.repository_id]) : []
      namespace_id        = role.provider == "gitlab" ? compact([role.owner_id]) : []
      ref_protected       = role.provider == "gitlab" && role.part == "apply" ? ["true"] : []
    } : claim => values if length(values) > 0 }
  }

  claims = { for name, claims in local.wanted_claims : name => local.offers_claims[name] ? claims : {} }

  # Where AWS offers none of what it offers elsewhere.
  lacking_claims = [for name, role in local.deployers : role.name if local.has_claims[name] && length(local.wanted_claims[name]) > 0 && !local.offers_claims[name]]

  trust_conditions = {
    for name in keys(local.deployers) : name => [
      for claim, values in merge({ aud = [local.audiences[name]], sub = local.subjects[name] }, local.claims[name]) : {
        test     = anytrue([for value in values : strcontains(value, "*")]) ? "StringLike" : "StringEquals"
        variable = "${local.issuers[name]}:${claim}"
        values   = values
      }
    ]
  }
}

# Without thumbprints: AWS checks the certificates of GitHub, GitLab and any publicly trusted issuer by its own list.
resource "aws_iam_openid_connect_provider" "this" {
  for_each = setsubtract(values(local.issuers), var.existing_oidc_providers)

  url            = "https://${each.key}"
  client_id_list = sort(distinct([for name, audience in local.audiences : audience if local.issuers[name] == each.key]))
}

data "aws_iam_policy_document" "deployer_trust" {
  for_each = local.deployers

  statement {
    sid     = "NamedPipelines"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["${local.iam}:oidc-provider/${local.issuers[each.key]}"]
    }

    dynamic "condition" {
      for_each = local.trust_conditions[each.key]

      content {
        test     = condition.value.test
        variable = condition.value.variable
        values   = condition.value.values
      }
    }
  }
}

resource "aws_iam_role" "deployer" {
  for_each = local.deployers

  name                 = each.value.name
  path                 = each.value.path
  description          = each.value.description
  assume_role_policy   = data.aws_iam_policy_document.deployer_trust[each.key].json
  max_session_duration = each.value.max_session_minutes * 60
  permissions_boundary = each.value.bounded ? local.boundary_arn : null

  # IAM refuses a trust policy whose provider does not exist yet.
  depends_on = [aws_iam_openid_connect_provider.this, aws_iam_policy.boundary]

  lifecycle {
    precondition {
      condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", each.value.name)) && length(distinct([for name in local.names : lower(name)])) == length(local.names)
      error_message = "Names of roles must have 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -, and each stand once, whatever the case."
    }

    precondition {
      condition     = each.value.max_session_minutes >= 60 && each.value.max_session_minutes <= 720 && floor(each.value.max_session_minutes) == each.value.max_session_minutes
      error_message = "max_session_minutes of role ${each.value.name} must be a whole number from 60 to 720."
    }

    precondition {
      condition     = each.value.part == "" || each.value.provider != "github" || can(regex("^[A-Za-z0-9_][A-Za-z0-9 _./@#+=-]{0,254}$", local.pipeline_environments[each.key])) && !endswith(lookup(local.pipeline_environments, each.key, ""), "-")
      error_message = "The role ${each.value.name} of a pipeline needs environment_name, or plan_environment and apply_environment."
    }

    precondition {
      condition     = local.offers_claims[each.key] || local.formats[each.key] == "immutable" || each.value.part == "" || each.value.provider != "github" || !local.has_claims[each.key]
      error_message = "Role ${each.value.name}: in the partition ${local.partition}, STS documents no condition keys for GitHub's claims, so subjects must name the ids: subject_format must be immutable."
    }
  }
}

# What a pipeline may do: policies of the account's own, since AWS's managed ones allow more or less than Terraform needs.
locals {
  permissions = merge(flatten([
    for entry, parts in var.permissions : [
      for part, documents in { plan = parts.plan, apply = parts.apply } : {
        for index, document in documents : "${entry}/${part}/${index + 1}" => { role = "${entry}/${part}", document = document }
      }
    ]
  ])...)
}

resource "aws_iam_policy" "permissions" {
  for_each = local.permissions

  name        = replace(each.key, "/", "-")
  description = "What the role ${replace(each.value.role, "/", "-")} may do"
  policy      = each.value.document
}

resource "aws_iam_role_policy_attachment" "permissions" {
  for_each = local.permissions

  role       = aws_iam_role.deployer[each.value.role].name
  policy_arn = aws_iam_policy.permissions[each.key].arn
}

# Warns in every plan: the roles rest on less than elsewhere.
check "claims_of_pipelines" {
  assert {
    condition     = length(local.lacking_claims) == 0
    error_message = "In the partition ${local.partition}, STS documents no condition keys for claims of pipelines: only sub and aud limit who may assume ${join(", ", local.lacking_claims)}. Other claims, such as the workflow and the branch, are not compared."
  }
}

# A warning, since IAM's quota can be raised. IAM does not count white space.
check "length_of_trust_policies" {
  assert {
    condition     = alltrue([for document in values(data.aws_iam_policy_document.deployer_trust) : length(jsonencode(jsondecode(document.json))) <= 2048])
    error_message = "The trust policies of ${join(", ", [for key, document in data.aws_iam_policy_document.deployer_trust : local.deployers[key].name if length(jsonencode(jsondecode(document.json))) > 2048])} are longer than the 2,048 characters that IAM accepts by default: name fewer branches, tags, environments or workflows, or have the quota raised (Service Quotas, up to 8,192)."
  }
}
