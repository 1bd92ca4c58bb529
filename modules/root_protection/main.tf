# Central root access of an organization, from its management account: members' root users need no credentials, and tasks
# that only root may do there run in short sessions for one task each.
resource "aws_iam_organizations_features" "this" {
  for_each = toset(length(var.enabled_features) > 0 ? ["organization"] : [])

  enabled_features = var.enabled_features
}
