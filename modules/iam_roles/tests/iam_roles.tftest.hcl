# Policy documents are asserted, so the real provider evaluates them offline; a mocked one returns no JSON.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "nothing_asked_for" {
  command = plan

  assert {
    condition     = length(aws_iam_policy.boundary) + length(aws_iam_role.this) + length(aws_iam_role.deployer) + length(aws_iam_openid_connect_provider.this) + length(aws_cloudwatch_metric_alarm.break_glass) == 0
    error_message = "Without settings there is no role, and no boundary that nothing uses."
  }
  assert {
    condition     = length(replace(output.boundary_policy_json, "/\\s/", "")) <= 6144 && alltrue([for statement in jsondecode(output.boundary_policy_json).Statement : try(statement.Action, "") != "*"])
    error_message = "The boundary fits IAM's quota and does not allow everything."
  }
}

run "everything" {
  command = plan

  variables {
    roles = {
      administration = { users = ["anna"], managed_policies = ["AdministratorAccess"], max_session_minutes = 90 }
      development    = { users = ["bert"], managed_policies = ["PowerUserAccess"], bounded = true, path = "/people/" }
      operations     = { principals = ["arn:aws:iam::111122223333:role/operators"], require_mfa = false, organization_id = "o-exampleorg", managed_policies = ["job-function/SystemAdministrator"] }
      vendor         = { principals = ["arn:aws:iam::444455556666:root"], require_mfa = false, external_id = "example-42", managed_policies = ["arn:aws:iam::123456789012:policy/vendor"] }
    }
    break_glass = { users = ["anna"] }
    audit       = { principals = ["arn:aws:iam::999999999999:root"], external_id = "audit-7" }
    support     = { users = ["bert"] }
    deployers = {
      site    = { provider = "github", repository = "example/site", branches = ["main"], environments = ["production"], managed_policies = ["PowerUserAccess"] }
      mirror  = { provider = "gitlab", repository = "group/sub/project", tags = ["v1"], managed_policies = ["PowerUserAccess"], bounded = false }
      inhouse = { provider = "gitlab", repository = "a/b", branches = ["main"], issuer = "gitlab.example.com", audience = "aws", managed_policies = ["ReadOnlyAccess"] }
    }
    existing_oidc_providers = ["gitlab.com"]
    conflicts               = [["administration", "development"], ["development", "operations"]]
    user_arns               = { bert = "arn:aws:iam::123456789012:user/people/bert" }
    alarm                   = { log_group_name = "/aws/cloudtrail/baseline", topic_arn = "arn:aws:sns:eu-central-1:123456789012:baseline-activity", name_prefix = "baseline-activity-" }
  }

  assert {
    condition = { for name in ["administration", "development", "operations", "vendor", "security-audit"] : name => {
      who = jsondecode(output.trust_policies_json[name]).Statement[0].Principal.AWS
      if  = jsondecode(output.trust_policies_json[name]).Statement[0].Condition
      } } == {
      administration = { who = "arn:aws:iam::123456789012:user/anna", if = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } }
      development    = { who = "arn:aws:iam::123456789012:user/people/bert", if = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } }
      operations     = { who = "arn:aws:iam::111122223333:role/operators", if = { StringEquals = { "aws:PrincipalOrgID" = "o-exampleorg" } } }
      vendor         = { who = "arn:aws:iam::444455556666:root", if = { StringEquals = { "sts:ExternalId" = "example-42" } } }
      security-audit = { who = "arn:aws:iam::999999999999:root", if = { Bool = { "aws:MultiFactorAuthPresent" = "true" }, StringEquals = { "sts:ExternalId" = "audit-7" } } }
    }
    error_message = "Each role is open to whom it names, under the conditions asked for."
  }
  assert {
    condition = { for name in ["site", "mirror", "inhouse"] : name => jsondecode(output.trust_policies_json[name]).Statement[0].Condition.StringEquals } == {
      site    = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com", "token.actions.githubusercontent.com:sub" = ["repo:example/site:ref:refs/heads/main", "repo:example/site:environment:production"] }
      mirror  = { "gitlab.com:aud" = "https://gitlab.com", "gitlab.com:sub" = "project_path:group/sub/project:ref_type:tag:ref:v1" }
      inhouse = { "gitlab.example.com:aud" = "aws", "gitlab.example.com:sub" = "project_path:a/b:ref_type:branch:ref:main" }
    }
    error_message = "Pipelines are known by their whole subject."
  }
  assert {
    condition     = { for issuer, provider in aws_iam_openid_connect_provider.this : issuer => join(" ", provider.client_id_list) } == { "token.actions.githubusercontent.com" = "sts.amazonaws.com", "gitlab.example.com" = "aws" }
    error_message = "Providers that are there already are not made."
  }
  assert {
    condition     = [for role in concat(values(aws_iam_role.this), values(aws_iam_role.deployer)) : role.max_session_duration if role.max_session_duration != 3600] == [5400]
    error_message = "An hour, unless asked for otherwise."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.managed["break-glass/AdministratorAccess"].policy_arn == "arn:aws:iam::aws:policy/AdministratorAccess" && aws_iam_role_policy_attachment.managed["vendor/arn:aws:iam::123456789012:policy/vendor"].policy_arn == "arn:aws:iam::123456789012:policy/vendor" && sort(keys(aws_iam_role_policy_attachment.audit)) == tolist(["SecurityAudit", "job-function/ViewOnlyAccess"]) && keys(aws_iam_role_policy_attachment.support) == ["AWSSupportAccess"]
    error_message = "Roles have their policies."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.break_glass["break-glass"].alarm_name == "baseline-activity-break-glass-use" && aws_cloudwatch_log_metric_filter.break_glass["break-glass"].pattern == "{ ($.requestParameters.roleArn=\"arn:aws:iam::123456789012:role/break-glass\")||($.userIdentity.sessionContext.sessionIssuer.arn=\"arn:aws:iam::123456789012:role/break-glass\") }"
    error_message = "Use of the emergency role raises an alarm."
  }
}

run "refused_roles" {
  command = plan

  variables {
    roles = {
      nobody  = { managed_policies = ["ReadOnlyAccess"] }
      anybody = { principals = ["*"], managed_policies = ["ReadOnlyAccess"] }
      open    = { principals = ["arn:aws:iam::111122223333:root"], require_mfa = false, managed_policies = ["ReadOnlyAccess"] }
      closed  = { principals = ["arn:aws:iam::111122223333:role/x"], managed_policies = ["ReadOnlyAccess"] }
      long    = { users = ["anna"], max_session_minutes = 721, managed_policies = ["ReadOnlyAccess"] }
      a       = { users = ["anna", "bert"], managed_policies = ["ReadOnlyAccess"] }
      b       = { users = ["anna"], managed_policies = ["ReadOnlyAccess"] }
    }
    deployers = { Long = { provider = "github", repository = "a/b", branches = ["main"], managed_policies = ["ReadOnlyAccess"] } }
    conflicts = [["a", "b"]]
  }

  expect_failures = [aws_iam_role.this, aws_iam_role.deployer]
}

run "conflicts_through_accounts_and_chains" {
  command = plan

  variables {
    roles = {
      whole  = { principals = ["arn:aws:iam::111122223333:root"], managed_policies = ["ReadOnlyAccess"] }
      member = { principals = ["arn:aws:iam::111122223333:user/anna"], managed_policies = ["ReadOnlyAccess"] }
    }
    conflicts = [["whole", "member"]]
  }

  expect_failures = [aws_iam_role.this]
}

run "refused_settings" {
  command = plan

  variables {
    roles                   = { x = { users = ["anna"], managed_policies = [], path = "/delegated/" } }
    break_glass             = {}
    audit                   = { users = ["anna"], managed_policies = ["PowerUserAccess"] }
    support                 = { users = ["anna"], managed_policies = ["PowerUserAccess"] }
    deployers               = { x = { provider = "github", repository = "*/site", branches = ["*"], issuer = "https://x", audience = "a b", managed_policies = [] } }
    existing_oidc_providers = ["https://gitlab.com"]
  }

  expect_failures = [var.roles, var.break_glass, var.audit, var.support, var.deployers, var.existing_oidc_providers]
}

run "refused_deployers" {
  command = plan

  variables {
    deployers = {
      any     = { provider = "github", repository = "example/site", managed_policies = ["ReadOnlyAccess"] }
      gitlab  = { provider = "gitlab", repository = "a/b", environments = ["production"], managed_policies = ["ReadOnlyAccess"] }
      inside  = { provider = "gitlab", repository = "a/b", branches = ["main"], path = "/delegated/", managed_policies = ["ReadOnlyAccess"] }
      unknown = { provider = "jenkins", repository = "a/b", branches = ["main"], path = "x", managed_policies = ["ReadOnlyAccess"] }
    }
    conflicts = [["a", "a"]]
  }

  expect_failures = [var.deployers, var.conflicts]
}

# Each variable has one fault: what is below the path counts as under it, and so do its policies.
run "refused_below_the_delegation_path" {
  command = plan

  variables {
    roles       = { x = { users = ["anna"], managed_policies = ["ReadOnlyAccess"], path = "/delegated/team/" } }
    deployers   = { y = { provider = "gitlab", repository = "a/b", branches = ["main"], bounded = false, path = "/delegated/ci/", managed_policies = ["ReadOnlyAccess"] } }
    break_glass = { users = ["anna"], managed_policies = ["AdministratorAccess", "arn:aws:iam::123456789012:policy/delegated/own"] }
    alarm       = { log_group_name = "x", topic_arn = "arn:aws:sns:eu-central-1:123456789012:x", name_prefix = "x-" }
    support     = { users = ["anna"], managed_policies = ["AWSSupportAccess", "arn:aws:iam::123456789012:policy/delegated/team/own"] }
  }

  expect_failures = [var.roles, var.deployers, var.break_glass, var.support]
}

run "refused_delegated_policies" {
  command = plan

  variables {
    roles     = { x = { users = ["anna"], managed_policies = ["arn:aws:iam::123456789012:policy/delegated/own"] } }
    deployers = { y = { provider = "gitlab", repository = "a/b", branches = ["main"], managed_policies = ["arn:aws:iam::123456789012:policy/delegated/own"] } }
  }

  expect_failures = [var.roles, var.deployers]
}

run "bounded_roles_may_have_delegated_policies" {
  command = plan

  variables {
    roles = { x = { users = ["anna"], managed_policies = ["arn:aws:iam::123456789012:policy/delegated/own"], bounded = true, path = "/delegated/team/" } }
  }

  assert {
    condition     = aws_iam_role.this["x"].permissions_boundary == local.boundary_arn && length(aws_iam_policy.boundary) == 1
    error_message = "A bounded role below the path must carry the boundary."
  }
}

run "the_boundary_exists_where_something_has_it" {
  command = plan

  variables {
    roles     = { x = { users = ["anna"], managed_policies = ["ReadOnlyAccess"] } }
    deployers = { y = { provider = "gitlab", repository = "a/b", branches = ["main"], managed_policies = ["ReadOnlyAccess"], bounded = false } }
  }

  assert {
    condition     = length(aws_iam_policy.boundary) == 0 && output.boundary_policy_arn == null
    error_message = "A boundary that no role has must not be made."
  }
}

run "a_bounded_deployer_needs_it" {
  command = plan

  variables {
    deployers = { y = { provider = "gitlab", repository = "a/b", branches = ["main"], managed_policies = ["ReadOnlyAccess"] } }
  }

  assert {
    condition     = length(aws_iam_policy.boundary) == 1 && aws_iam_role.deployer["y"].permissions_boundary == local.boundary_arn
    error_message = "A bounded deployer must carry the boundary."
  }
}

run "kept_for_roles_made_elsewhere" {
  command = plan

  variables {
    delegation = { keep_boundary = true }
  }

  assert {
    condition     = keys(aws_iam_policy.boundary) == ["delegation"]
    error_message = "keep_boundary must make the boundary although no role here has it."
  }
}

run "immutable_subjects" {
  command = plan

  variables {
    deployers = {
      only = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", branches = ["main"], managed_policies = ["ReadOnlyAccess"] }
      both = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", subject_format = "both", tags = ["v1"], managed_policies = ["ReadOnlyAccess"] }
    }
  }

  assert {
    condition     = local.subjects["only"] == ["repo:example@123456/site@456789:ref:refs/heads/main"]
    error_message = "With the ids, only subjects that carry them are accepted."
  }
  assert {
    condition     = toset(local.subjects["both"]) == toset(["repo:example/site:ref:refs/tags/v1", "repo:example@123456/site@456789:ref:refs/tags/v1"])
    error_message = "While a repository changes over, both forms are accepted."
  }
}

run "refused_subjects" {
  command = plan

  variables {
    deployers = { x = { provider = "github", repository = "example/site", subject_format = "immutable", branches = ["main"], managed_policies = ["ReadOnlyAccess"] } }
  }

  expect_failures = [var.deployers]
}

run "refused_delegation" {
  command = plan

  variables {
    delegation = { path = "delegated", boundary_name = "two words" }
  }

  expect_failures = [var.delegation]
}
