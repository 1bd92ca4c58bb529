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

run "the_boundary_keeps_logs" {
  command = plan

  variables {
    delegation = { keep_boundary = true }
    protected = {
      buckets     = [for number in range(5) : "baseline-a-bucket-of-logs-123456789012-us-gov-east-1-example-${number}"]
      log_groups  = ["/aws/cloudtrail/baseline", "/aws/vpc/default-vpc-flow-logs"]
      key_aliases = ["cloudtrail-baseline", "baseline-guardduty-123456789012-us-gov-east-1"]
    }
  }

  # The partition with the longest name.
  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  assert {
    condition     = [for statement in jsondecode(output.boundary_policy_json).Statement : statement.Sid if statement.Effect == "Deny"] == ["DenyTamperingWithLogs", "DenyTamperingWithTheirKeys"]
    error_message = "The boundary must deny what tampers with logs and their keys."
  }
  assert {
    condition     = length(replace(output.boundary_policy_json, "/\\s/", "")) <= 6144
    error_message = "Five buckets with names of S3's longest, two log groups and two keys must fit."
  }
}

run "more_than_the_boundary_holds" {
  command = plan

  variables {
    delegation = { keep_boundary = true }
    protected  = { buckets = [for number in range(40) : "a-bucket-of-logs-with-a-name-of-forty-characters-${number}"] }
  }

  expect_failures = [aws_iam_policy.boundary]
}

run "protected_without_limits" {
  command = plan

  variables {
    protected = { buckets = ["*"], key_aliases = ["alias/logs"] }
  }

  expect_failures = [var.protected]
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

run "pipelines" {
  command = plan

  variables {
    environment_name = "prod"
    deployers = {
      baseline = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", pipeline = {} }
      shared = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", subject_format = "classic", max_session_minutes = 90, pipeline = {
        branch                = "trunk", pull_requests = false, plan_environment = "p", apply_environment = "a"
        nightly_workflows     = []
        workflows             = ["a.yml", "example/shared/.github/workflows/b.yml@refs/tags/v1"]
        plan_managed_policies = ["ReadOnlyAccess"], apply_managed_policies = ["PowerUserAccess", "IAMFullAccess"]
      } }
      enterprise = { provider = "github", repository = "example/site", issuer = "token.actions.example.ghe.com", owner_id = "1", repository_id = "2", pipeline = { workflows = [] } }
      server     = { provider = "github", repository = "example/site", issuer = "github.example.com/_services/token", pipeline = {} }
      gitlab     = { provider = "gitlab", repository = "group/project", owner_id = "4711", repository_id = "815", pipeline = {} }
      explicit   = { provider = "gitlab", repository = "group/project", issuer = "gitlab.com", owner_id = "4711", repository_id = "815", pipeline = {} }
      inhouse    = { provider = "gitlab", repository = "group/project", issuer = "gitlab.example.com", pipeline = { pull_requests = false } }
      both       = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", subject_format = "both", branches = ["main"], managed_policies = ["ReadOnlyAccess"] }
    }
    permissions = {
      baseline = { plan = ["{\"Version\":\"2012-10-17\",\"Statement\":[]}", "{\"Statement\":[]}"], apply = ["{\"Statement\":[]}"] }
    }
  }

  assert {
    condition     = toset([for role in aws_iam_role.deployer : role.name]) == toset(concat(["both"], flatten([for name in ["baseline", "shared", "enterprise", "server", "gitlab", "explicit", "inhouse"] : ["${name}-plan", "${name}-apply"]])))
    error_message = "A pipeline has two roles."
  }
  assert {
    condition = { for name in ["baseline-plan", "baseline-apply", "shared-plan"] : name => jsondecode(output.trust_policies_json[name]).Statement[0].Condition } == {
      baseline-plan = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud"                 = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub"                 = "repo:example@123456/site@456789:environment:plan-prod"
          "token.actions.githubusercontent.com:environment"         = "plan-prod"
          "token.actions.githubusercontent.com:repository_id"       = "456789"
          "token.actions.githubusercontent.com:repository_owner_id" = "123456"
        }
        StringLike = {
          "token.actions.githubusercontent.com:ref"              = ["refs/heads/main", "refs/pull/*/merge"]
          "token.actions.githubusercontent.com:job_workflow_ref" = ["example/site/.github/workflows/baseline.yml@refs/heads/main", "example/site/.github/workflows/baseline.yml@refs/pull/*/merge", "example/site/.github/workflows/baseline-nightly.yml@refs/heads/main"]
        }
      }
      baseline-apply = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud"                 = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub"                 = "repo:example@123456/site@456789:environment:aws-prod"
          "token.actions.githubusercontent.com:environment"         = "aws-prod"
          "token.actions.githubusercontent.com:repository_id"       = "456789"
          "token.actions.githubusercontent.com:repository_owner_id" = "123456"
          "token.actions.githubusercontent.com:ref"                 = "refs/heads/main"
          "token.actions.githubusercontent.com:job_workflow_ref"    = "example/site/.github/workflows/baseline.yml@refs/heads/main"
        }
      }
      shared-plan = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud"                 = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub"                 = "repo:example/site:environment:p"
          "token.actions.githubusercontent.com:environment"         = "p"
          "token.actions.githubusercontent.com:repository_id"       = "456789"
          "token.actions.githubusercontent.com:repository_owner_id" = "123456"
          "token.actions.githubusercontent.com:ref"                 = "refs/heads/trunk"
          "token.actions.githubusercontent.com:job_workflow_ref"    = ["example/site/.github/workflows/a.yml@refs/heads/trunk", "example/shared/.github/workflows/b.yml@refs/tags/v1"]
        }
      }
    }
    error_message = "GitHub's pipelines are known by every claim that STS compares."
  }
  assert {
    condition = { for name in ["enterprise-apply", "server-plan", "gitlab-plan", "gitlab-apply", "inhouse-plan"] : name => jsondecode(output.trust_policies_json[name]).Statement[0].Condition } == {
      enterprise-apply = { StringEquals = {
        "token.actions.example.ghe.com:aud"                 = "sts.amazonaws.com"
        "token.actions.example.ghe.com:sub"                 = "repo:example@1/site@2:environment:aws-prod"
        "token.actions.example.ghe.com:environment"         = "aws-prod"
        "token.actions.example.ghe.com:repository_id"       = "2"
        "token.actions.example.ghe.com:repository_owner_id" = "1"
        "token.actions.example.ghe.com:ref"                 = "refs/heads/main"
      } }
      server-plan  = { StringEquals = { "github.example.com/_services/token:aud" = "sts.amazonaws.com", "github.example.com/_services/token:sub" = "repo:example/site:environment:plan-prod" } }
      gitlab-plan  = { StringEquals = { "gitlab.com:aud" = "https://sts.amazonaws.com", "gitlab.com:project_id" = "815", "gitlab.com:namespace_id" = "4711" }, StringLike = { "gitlab.com:sub" = "project_path:group/project:ref_type:branch:ref:*" } }
      gitlab-apply = { StringEquals = { "gitlab.com:aud" = "https://sts.amazonaws.com", "gitlab.com:project_id" = "815", "gitlab.com:namespace_id" = "4711", "gitlab.com:ref_protected" = "true", "gitlab.com:sub" = "project_path:group/project:ref_type:branch:ref:main" } }
      inhouse-plan = { StringEquals = { "gitlab.example.com:aud" = "https://sts.amazonaws.com", "gitlab.example.com:sub" = "project_path:group/project:ref_type:branch:ref:main" } }
    }
    error_message = "Other issuers have the keys that STS has for them."
  }
  assert {
    condition     = jsondecode(output.trust_policies_json["both"]).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:repository_id"] == "456789"
    error_message = "Where a classic subject is accepted, the ids are compared by claims of their own."
  }
  assert {
    condition     = sort([for key in keys(aws_iam_role_policy_attachment.managed) : key if startswith(key, "baseline") || startswith(key, "shared")]) == tolist(["baseline/plan/SecurityAudit", "baseline/plan/job-function/ViewOnlyAccess", "shared/apply/IAMFullAccess", "shared/apply/PowerUserAccess", "shared/plan/ReadOnlyAccess"])
    error_message = "Each of the two has its own policies."
  }
  assert {
    condition     = { for key, attachment in aws_iam_role_policy_attachment.permissions : aws_iam_policy.permissions[key].name => attachment.role } == { baseline-plan-1 = "baseline-plan", baseline-plan-2 = "baseline-plan", baseline-apply-1 = "baseline-apply" }
    error_message = "Documents become policies of their role."
  }
  assert {
    condition     = aws_iam_role.deployer["baseline/apply"].permissions_boundary == null && aws_iam_role.deployer["shared/plan"].max_session_duration == 5400 && keys(aws_iam_policy.boundary) == ["delegation"]
    error_message = "A pipeline is never bounded; the deployer of one role is."
  }
}

run "partitions_without_claims" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  variables {
    environment_name = "prod"
    deployers = {
      baseline = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", pipeline = {} }
    }
  }

  # Said in every plan, not refused.
  expect_failures = [check.claims_of_pipelines]

  assert {
    condition = { for name in ["baseline-plan", "baseline-apply"] : name => jsondecode(output.trust_policies_json[name]).Statement[0].Condition } == {
      baseline-plan  = { StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com", "token.actions.githubusercontent.com:sub" = "repo:example@123456/site@456789:environment:plan-prod" } }
      baseline-apply = { StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com", "token.actions.githubusercontent.com:sub" = "repo:example@123456/site@456789:environment:aws-prod" } }
    }
    error_message = "Where STS has no keys for them, no other claim may be compared: no token would be accepted."
  }
}

run "refused_in_partitions_without_claims" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }

  variables {
    environment_name = "prod"
    deployers = {
      baseline = { provider = "github", repository = "example/site", owner_id = "123456", repository_id = "456789", subject_format = "both", pipeline = {} }
    }
  }

  expect_failures = [aws_iam_role.deployer, check.claims_of_pipelines]
}

# An issuer that is named, though it is the default, serves every owner all the same.
run "refused_pipelines_of_named_issuers" {
  command = plan

  variables {
    deployers = {
      github = { provider = "github", repository = "a/b", issuer = "token.actions.githubusercontent.com", pipeline = {} }
    }
    environment_name = "prod"
  }

  expect_failures = [var.deployers]
}

run "refused_pipelines" {
  command = plan

  variables {
    deployers = {
      named     = { provider = "github", repository = "a/b", pipeline = {} }
      branches  = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", branches = ["main"], pipeline = {} }
      wild      = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", pipeline = { branch = "*" } }
      workflow  = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", pipeline = { nightly_workflows = ["*.yml"] } }
      same      = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", pipeline = { plan_environment = "x", apply_environment = "x" } }
      policies  = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", managed_policies = ["ReadOnlyAccess"], pipeline = {} }
      delegated = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", pipeline = { plan_managed_policies = ["arn:aws:iam::123456789012:policy/delegated/x"] } }
      inhouse   = { provider = "gitlab", repository = "a/b", issuer = "gitlab.example.com", owner_id = "1", repository_id = "2", pipeline = {} }
    }
    environment_name = "two words"
  }

  expect_failures = [var.deployers, var.environment_name]
}

run "refused_permissions" {
  command = plan

  variables {
    deployers   = { x = { provider = "gitlab", repository = "a/b", owner_id = "1", repository_id = "2", pipeline = {} } }
    permissions = { x = { plan = ["no JSON"] }, y = {} }
  }

  expect_failures = [var.permissions]
}

run "long_trust_policies" {
  command = plan

  variables {
    deployers = { x = { provider = "gitlab", repository = "a/b", branches = [for number in range(60) : "release/${number}"], managed_policies = ["ReadOnlyAccess"] } }
  }

  expect_failures = [check.length_of_trust_policies]
}

run "refused_without_environments" {
  command = plan

  variables {
    deployers = { x = { provider = "github", repository = "a/b", owner_id = "1", repository_id = "2", pipeline = {} } }
  }

  expect_failures = [aws_iam_role.deployer]
}

run "refused_delegation" {
  command = plan

  variables {
    delegation = { path = "delegated", boundary_name = "two words" }
  }

  expect_failures = [var.delegation]
}
