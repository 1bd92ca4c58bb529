mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = aws_macie2_account.this.status == "ENABLED" && aws_macie2_account.this.finding_publishing_frequency == "FIFTEEN_MINUTES"
    error_message = "Macie must be on, and its findings published as soon as it does."
  }

  assert {
    condition     = length(aws_macie2_classification_export_configuration.this) == 0
    error_message = "Results go nowhere unasked."
  }
}

run "every_switch" {
  command = plan

  variables {
    finding_publishing_frequency = "SIX_HOURS"
    results_export = {
      bucket_name = "example-results"
      key_prefix  = "macie"
      kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }

  assert {
    condition     = aws_macie2_account.this.finding_publishing_frequency == "SIX_HOURS" && aws_macie2_classification_export_configuration.this["results"].s3_destination[0].bucket_name == "example-results"
    error_message = "Frequency and export must follow their settings."
  }
}

run "refused" {
  command = plan

  variables {
    finding_publishing_frequency = "DAILY"
    results_export               = { bucket_name = "No_Bucket", kms_key_arn = "alias/macie" }
  }

  expect_failures = [var.finding_publishing_frequency, var.results_export]
}
