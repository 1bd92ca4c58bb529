# What each monitor matches, as CloudWatch Logs filter patterns over CloudTrail events. This file needs no provider.
#
# `!=` never matches an event without the field, so a field that may be absent is matched with NOT EXISTS as well.
# Wildcards are possible at an end of a term only, and a pattern has at most 1,024 characters (API PutMetricFilter).

locals {
  refined = var.patterns == "refined"

  # AWS services act through service-linked roles: load balancers create security groups, Identity Center writes role
  # policies. IAM reserves their path for AWS, so no user can imitate the start of the ARN; the middle could be imitated,
  # because a role's path may contain colons. An organization's trail also has other accounts' events, which still match.
  not_service_linked = join("", [
    "(($.userIdentity.sessionContext.sessionIssuer.arn NOT EXISTS)||",
    "($.userIdentity.sessionContext.sessionIssuer.arn!=\"arn:${local.partition}:iam::${local.account_id}:role/aws-service-role/*\"))",
  ])

  # Monitors that match calls by name. `further`: calls with the same effect that the benchmark does not list.
  # `service_linked_too`: also calls of service-linked roles, because none of these calls is routine.
  calls = {
    iam_policy_changes = {
      source = "iam.amazonaws.com"
      benchmark = [
        "DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy",
        "CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "AttachRolePolicy",
        "DetachRolePolicy", "AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy",
      ]
      further = [
        "SetDefaultPolicyVersion", "UpdateAssumeRolePolicy", "DeleteRolePermissionsBoundary",
        "DeleteUserPermissionsBoundary",
      ]
      service_linked_too = false
    }

    cloudtrail_changes = {
      source             = null
      benchmark          = ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"]
      further            = ["PutEventSelectors", "PutInsightSelectors"]
      service_linked_too = false
    }

    kms_key_deletions = {
      source             = "kms.amazonaws.com"
      benchmark          = ["DisableKey", "ScheduleKeyDeletion"]
      further            = ["DeleteImportedKeyMaterial"]
      service_linked_too = true
    }

    s3_bucket_policy_changes = {
      source = "s3.amazonaws.com"
      benchmark = [
        "PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication",
        "DeleteBucketPolicy", "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication",
      ]
      further = [
        "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock", "PutAccountPublicAccessBlock",
        "DeleteAccountPublicAccessBlock",
      ]
      service_linked_too = false
    }

    config_changes = {
      source = "config.amazonaws.com"
      benchmark = [
        "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder",
      ]
      further            = ["DeleteConfigurationRecorder", "DeleteRetentionConfiguration"]
      service_linked_too = false
    }

    security_group_changes = {
      source = null
      benchmark = [
        "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
        "RevokeSecurityGroupEgress", "CreateSecurityGroup", "DeleteSecurityGroup",
      ]
      further            = ["ModifySecurityGroupRules"]
      service_linked_too = false
    }

    network_acl_changes = {
      source = null
      benchmark = [
        "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry",
        "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation",
      ]
      further            = []
      service_linked_too = false
    }

    network_gateway_changes = {
      source = null
      benchmark = [
        "CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway",
        "DeleteInternetGateway", "DetachInternetGateway",
      ]
      further            = ["CreateEgressOnlyInternetGateway", "CreateNatGateway"]
      service_linked_too = false
    }

    route_table_changes = {
      source = "ec2.amazonaws.com"
      benchmark = [
        "CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable",
        "DeleteRoute", "DisassociateRouteTable",
      ]
      further            = ["AssociateRouteTable"]
      service_linked_too = false
    }

    vpc_changes = {
      source = null
      benchmark = [
        "CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection",
        "DeleteVpcPeeringConnection", "RejectVpcPeeringConnection", "AttachClassicLinkVpc", "DetachClassicLinkVpc",
        "DisableVpcClassicLink", "EnableVpcClassicLink",
      ]
      further            = []
      service_linked_too = false
    }

    organizations_changes = {
      source = "organizations.amazonaws.com"
      benchmark = [
        "AcceptHandshake", "AttachPolicy", "CreateAccount", "CreateOrganizationalUnit", "CreatePolicy",
        "DeclineHandshake", "DeleteOrganization", "DeleteOrganizationalUnit", "DeletePolicy", "DetachPolicy",
        "DisablePolicyType", "EnablePolicyType", "InviteAccountToOrganization", "LeaveOrganization", "MoveAccount",
        "RemoveAccountFromOrganization", "UpdatePolicy", "UpdateOrganizationalUnit",
      ]
      further = [
        "CancelHandshake", "CloseAccount", "CreateOrganization", "DeregisterDelegatedAdministrator",
        "EnableAllFeatures", "RegisterDelegatedAdministrator",
      ]
      service_linked_too = true
    }
  }

  # Each pattern is its terms joined by &&.
  terms = merge(
    {
      for monitor, calls in local.calls : monitor => concat(
        calls.source == null ? [] : ["($.eventSource=${calls.source})"],
        [format("(%s)", join("||", [
          for name in concat(calls.benchmark, local.refined ? calls.further : []) : "($.eventName=${name})"
        ]))],
        local.refined && !calls.service_linked_too ? [local.not_service_linked] : [],
      )
    },
    {
      unauthorized_api_calls = concat(
        [
          "(($.errorCode=\"*UnauthorizedOperation\")||($.errorCode=\"AccessDenied*\"))",
          "($.sourceIPAddress!=\"delivery.logs.amazonaws.com\")",
          "($.eventName!=\"HeadBucket\")",
        ],
        local.refined ? [
          "($.userIdentity.type!=\"AWSService\")",
          local.not_service_linked,
          # Console pages cause denied reads of everything that they try to show.
          "(($.sessionCredentialFromConsole NOT EXISTS)||($.readOnly IS FALSE))",
        ] : [],
      )

      # Federated and Identity Center sign-ins are of type AssumedRole: their second factor is checked elsewhere, and
      # CloudTrail always records "No".
      console_sign_in_without_mfa = [
        "($.eventName=\"ConsoleLogin\")",
        "($.additionalEventData.MFAUsed!=\"Yes\")",
        "($.userIdentity.type=\"IAMUser\")",
        "($.responseElements.ConsoleLogin=\"Success\")",
      ]

      root_use = concat(
        [
          "$.userIdentity.type=\"Root\"",
          "$.userIdentity.invokedBy NOT EXISTS",
          "$.eventType!=\"AwsServiceEvent\"",
        ],
        # A short task of the organization's administrators in a member account, which never had root's password.
        local.refined ? [
          "(($.userIdentity.sessionContext.assumedRoot NOT EXISTS)||($.userIdentity.sessionContext.assumedRoot!=\"true\"))",
        ] : [],
      )

      console_sign_in_failures = [
        "($.eventName=\"ConsoleLogin\")",
        "($.errorMessage=\"Failed authentication\")",
      ]
    },
  )

  filter_patterns = { for monitor, terms in local.terms : monitor => "{ ${join(" && ", terms)} }" }
}
