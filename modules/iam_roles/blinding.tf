# Which actions stop what records and watches, or open what the account keeps closed. Administrators do these on
# purpose, through the baseline; from anybody else they are an attack or a slip. tests/policies/test_blinding.py holds
# them against every operation of these services, and says which are left to everybody and why.
locals {
  blinding = {
    # Trails and event data stores: ended, paused, or narrowed to record less.
    cloudtrail = [
      "cloudtrail:Delete*",
      "cloudtrail:Put*",
      "cloudtrail:Stop*",
      "cloudtrail:Update*",
    ]

    # The recorder, its delivery, and rules: each Put replaces what has the same name by something that may see less.
    # Left: saved queries, and the records of resource types of one's own, which CloudFormation makes for its caller.
    config = [
      "config:DeleteAggregationAuthorization",
      "config:DeleteCon*",
      "config:DeleteDeliveryChannel",
      "config:DeleteEvaluationResults",
      "config:DeleteOrganization*",
      "config:DeleteRemediation*",
      "config:DeleteRetentionConfiguration",
      "config:DeleteServiceLinked*",
      "config:Disassociate*",
      "config:PutConf*",
      "config:PutDeliveryChannel",
      "config:PutExternalEvaluation",
      "config:PutOrganization*",
      "config:PutRemediation*",
      "config:PutRetentionConfiguration",
      "config:Stop*",
    ]

    # Detectors and their export. Archiving, filters, and lists of trusted addresses make findings disappear; an
    # administrator account, once accepted, may do the same from outside.
    guardduty = [
      "guardduty:Accept*",
      "guardduty:Archive*",
      "guardduty:CreateFilter",
      "guardduty:CreateIPSet",
      "guardduty:CreateTrusted*",
      "guardduty:Delete*",
      "guardduty:Disable*",
      "guardduty:Disassociate*",
      "guardduty:Stop*",
      "guardduty:Update*",
    ]

    # Standards, controls and aggregation. Updates and automation rules suppress findings.
    securityhub = [
      "securityhub:Accept*",
      "securityhub:BatchD*",
      "securityhub:BatchUpdate*",
      "securityhub:CreateAutomation*",
      "securityhub:Delete*",
      "securityhub:Disable*",
      "securityhub:Disassociate*",
      "securityhub:StartConfiguration*",
      "securityhub:Update*",
    ]

    # Analyzers; archive rules hide what they find.
    access_analyzer = [
      "access-analyzer:Apply*",
      "access-analyzer:CreateArchiveRule",
      "access-analyzer:Delete*",
      "access-analyzer:Update*",
    ]

    # What every bucket, volume, snapshot, image, instance and VPC of the account or region gets without asking. Enabling
    # is among them where it chooses between a strict and a lax mode.
    defaults = [
      "ec2:CreateVpcBlockPublicAccessExclusion",
      "ec2:DisableAllowedImagesSettings",
      "ec2:DisableEbsEncryptionByDefault",
      "ec2:DisableImageBlockPublicAccess",
      "ec2:DisableSnapshotBlockPublicAccess",
      "ec2:EnableAllowedImagesSettings",
      "ec2:EnableSerialConsoleAccess",
      "ec2:EnableSnapshotBlockPublicAccess",
      "ec2:ModifyEbsDefaultKmsKeyId",
      "ec2:ModifyInstanceMetadataDefaults",
      "ec2:ModifyVpcBlockPublicAccess*",
      "ec2:ReplaceImageCriteria*",
      "ec2:ResetEbsDefaultKmsKeyId",
      "s3:PutAccountPublicAccessBlock",
    ]

    # Whom AWS calls about abuse, and regions that nobody watches yet or any more.
    account = [
      "account:DeleteAlternateContact",
      "account:DisableRegion",
      "account:EnableRegion",
      "account:Put*",
    ]
  }
}
