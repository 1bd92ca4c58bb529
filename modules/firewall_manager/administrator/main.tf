# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

resource "aws_fms_admin_account" "this" {
  account_id = var.administrator_account_id

  lifecycle {
    precondition {
      condition     = contains(["us-east-1", "us-gov-west-1", "cn-north-1"], data.aws_service.current.region)
      error_message = "firewall_manager/administrator belongs in us-east-1 (GovCloud: us-gov-west-1, China: cn-north-1): Firewall Manager takes its administrator nowhere else."
    }
  }
}
