# Pipelines that authenticate through OpenID Connect: the provider signs a token for each run, and there is no secret.
locals {
  issuers = {
    for name, role in var.deployers : name => coalesce(role.issuer, role.provider == "github" ? "token.actions.githubusercontent.com" : "gitlab.com")
  }

  audiences = {
    for name, role in var.deployers : name => coalesce(role.audience, role.provider == "github" ? "sts.amazonaws.com" : "https://${local.issuers[name]}")
  }

  # How GitHub's subjects name the repository. Names can be taken over by another owner once they are given up; ids are
  # never used again (GitHub: repositories created, renamed or moved since 2026-07-15, and those that opted in). Source:
  # https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
  formats = { for name, role in var.deployers : name => coalesce(role.subject_format, role.owner_id == null ? "classic" : "immutable") }

  repositories = {
    for name, role in var.deployers : name => concat(
      local.formats[name] == "immutable" ? [] : ["repo:${role.repository}"],
      local.formats[name] == "classic" ? [] : ["repo:${join("/", formatlist("%s@%s", split("/", role.repository), [try(coalesce(role.owner_id), ""), try(coalesce(role.repository_id), "")]))}"],
    ) if role.provider == "github"
  }

  # Whole subjects: a wildcard could match a name that another owner can choose.
  subjects = {
    for name, role in var.deployers : name => role.provider == "github" ? flatten([for repository in local.repositories[name] : concat(
      [for branch in role.branches : "${repository}:ref:refs/heads/${branch}"],
      [for tag in role.tags : "${repository}:ref:refs/tags/${tag}"],
      [for environment in role.environments : "${repository}:environment:${environment}"],
      )]) : concat(
      [for branch in role.branches : "project_path:${role.repository}:ref_type:branch:ref:${branch}"],
      [for tag in role.tags : "project_path:${role.repository}:ref_type:tag:ref:${tag}"],
    )
  }
}

# Without thumbprints: AWS checks the certificates of GitHub, GitLab and any publicly trusted issuer by its own list.
resource "aws_iam_openid_connect_provider" "this" {
  for_each = setsubtract(values(local.issuers), var.existing_oidc_providers)

  url            = "https://${each.key}"
  client_id_list = sort(distinct([for name, audience in local.audiences : audience if local.issuers[name] == each.key]))
}

data "aws_iam_policy_document" "deployer_trust" {
  for_each = var.deployers

  statement {
    sid     = "NamedPipelines"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["${local.iam}:oidc-provider/${local.issuers[each.key]}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuers[each.key]}:aud"
      values   = [local.audiences[each.key]]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuers[each.key]}:sub"
      values   = local.subjects[each.key]
    }
  }
}

resource "aws_iam_role" "deployer" {
  for_each = var.deployers

  name                 = each.key
  path                 = each.value.path
  description          = "Pipelines of ${each.value.repository}."
  assume_role_policy   = data.aws_iam_policy_document.deployer_trust[each.key].json
  max_session_duration = each.value.max_session_minutes * 60
  permissions_boundary = each.value.bounded ? local.boundary_arn : null

  # IAM refuses a trust policy whose provider does not exist yet.
  depends_on = [aws_iam_openid_connect_provider.this, aws_iam_policy.boundary]

  lifecycle {
    precondition {
      condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", each.key)) && length(distinct([for name in local.names : lower(name)])) == length(local.names)
      error_message = "Names of roles must have 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -, and each stand once, whatever the case."
    }

    precondition {
      condition     = each.value.max_session_minutes >= 60 && each.value.max_session_minutes <= 720 && floor(each.value.max_session_minutes) == each.value.max_session_minutes
      error_message = "max_session_minutes of role ${each.key} must be a whole number from 60 to 720."
    }
  }
}
