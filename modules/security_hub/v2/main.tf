# AWS's service Security Hub, which its API names V2, in addition to Security Hub CSPM. Its types are newer than the
# provider version that the other modules need, so they are in a module of their own.
resource "aws_securityhub_account_v2" "this" {}

# Linked regions are named one by one: linking all of them would also collect findings of regions that are not active here.
resource "aws_securityhub_aggregator_v2" "this" {
  for_each = toset(var.finding_aggregation && length(var.linked_regions) > 0 ? ["linked_regions"] : [])

  region_linking_mode = "SPECIFIED_REGIONS"
  linked_regions      = var.linked_regions

  depends_on = [aws_securityhub_account_v2.this]
}
