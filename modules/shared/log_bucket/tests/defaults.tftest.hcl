# The real provider, offline: policy documents are evaluated by it and need no AWS.
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

variables {
  name = "example-logs"
}

run "defaults" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
      aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced",
      aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled",
      aws_s3_bucket.this.force_destroy == false,
    ])
    error_message = "The bucket must be private, owner enforced, versioned and protected from destruction."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "Without a key the bucket must be encrypted with AES256."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.this.json).Statement == [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "s3:*"
        Resource  = ["arn:aws:s3:::example-logs/*", "arn:aws:s3:::example-logs"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DenyOldTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "s3:*"
        Resource  = ["arn:aws:s3:::example-logs/*", "arn:aws:s3:::example-logs"]
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      },
      {
        Sid       = "DenyChangesThroughAccessPoints"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["s3:UpdateObject*", "s3:PutObject*", "s3:DeleteObject*"]
        Resource  = "arn:aws:s3:::example-logs/*"
        Condition = { Null = { "s3:DataAccessPointArn" = "false" } }
      },
    ]
    error_message = "By default the policy must consist of the two TLS statements and the one on access points."
  }

  assert {
    condition = (
      length(aws_s3_bucket_logging.this) == 0
      && length(aws_s3_bucket_object_lock_configuration.this) == 0
      && length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0
    )
    error_message = "Access logs, object lock and expiration must be off by default."
  }
}

run "every_switch" {
  command = plan

  variables {
    kms_key_arn                        = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    access_log_bucket                  = "example-access-logs"
    object_lock                        = { mode = "GOVERNANCE", days = 30 }
    expiration_days                    = 400
    noncurrent_version_expiration_days = 30
    transitions                        = [{ days = 90, storage_class = "GLACIER_IR" }]
    force_destroy                      = true
    policy_documents = [
      <<-JSON
      {"Version": "2012-10-17", "Statement": [{"Sid": "Extra", "Effect": "Allow", "Action": "s3:GetBucketAcl",
        "Resource": "arn:aws:s3:::example-logs", "Principal": {"Service": "cloudtrail.amazonaws.com"}}]}
      JSON
    ]
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "With a key the bucket must be encrypted with it."
  }

  assert {
    condition     = aws_s3_bucket_logging.this["example-access-logs"].target_prefix == "example-logs/"
    error_message = "Access logs must go to the named bucket under the bucket's own name."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.this["GOVERNANCE"].rule[0].default_retention[0].days == 30
    error_message = "The default retention must be set."
  }

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 400
      && one(aws_s3_bucket_lifecycle_configuration.this.rule[0].transition).storage_class == "GLACIER_IR"
      && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    )
    error_message = "The lifecycle must follow the variables."
  }

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Sid] == ["Extra", "DenyInsecureTransport", "DenyOldTls", "DenyChangesThroughAccessPoints"]
    error_message = "Statements that are passed in must stand beside the module's own."
  }
}

run "receives_access_logs" {
  command = plan

  variables {
    access_log_sources = ["example-source"]
  }

  assert {
    condition = one([for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s if s.Sid == "S3AccessLogDelivery"]) == {
      Sid       = "S3AccessLogDelivery"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::example-logs/example-source/*"
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:aws:s3:::example-source" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }
    error_message = "Only the named source bucket of this account may deliver access logs."
  }
}

run "refused" {
  command = plan

  variables {
    name                               = "Not.A.Name"
    kms_key_arn                        = "alias/example"
    noncurrent_version_expiration_days = 0
    abort_multipart_upload_days        = 0
    transitions                        = [{ days = 1, storage_class = "STANDARD_IA" }, { days = 1, storage_class = "ONEZONE_IA" }]
    object_lock                        = { mode = "LEGAL", days = 0 }
  }

  expect_failures = [
    var.name,
    var.kms_key_arn,
    var.noncurrent_version_expiration_days,
    var.abort_multipart_upload_days,
    var.transitions,
    var.object_lock,
  ]
}

run "refused_combinations" {
  command = plan

  variables {
    kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    object_lock        = { mode = "COMPLIANCE", days = 1 }
    access_log_sources = ["example-source"]
    expiration_days    = 30
    transitions        = [{ days = 30, storage_class = "GLACIER_IR" }]
  }

  expect_failures = [var.kms_key_arn, var.object_lock, var.expiration_days]
}
