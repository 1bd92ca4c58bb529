resource "aws_macie2_account" "this" {
  status                       = "ENABLED"
  finding_publishing_frequency = var.finding_publishing_frequency
}

# Without it, AWS keeps the results of jobs and discovery for each object for 90 days.
resource "aws_macie2_classification_export_configuration" "this" {
  for_each = { for name, export in { results = var.results_export } : name => export if export != null }

  s3_destination {
    bucket_name = each.value.bucket_name
    key_prefix  = each.value.key_prefix
    kms_key_arn = each.value.kms_key_arn
  }

  depends_on = [aws_macie2_account.this]
}
