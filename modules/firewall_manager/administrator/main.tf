data "aws_region" "current" {}

resource "aws_fms_admin_account" "this" {
  account_id = var.administrator_account_id

  lifecycle {
    precondition {
      condition     = contains(["us-east-1", "us-gov-west-1", "cn-north-1"], data.aws_region.current.id)
      error_message = "firewall_manager/administrator belongs in us-east-1 (GovCloud: us-gov-west-1, China: cn-north-1): Firewall Manager takes its administrator nowhere else."
    }
  }
}
