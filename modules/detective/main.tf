resource "aws_detective_graph" "this" {}

resource "aws_detective_organization_configuration" "this" {
  for_each = toset(var.auto_enable_members == null ? [] : ["members"])

  graph_arn   = aws_detective_graph.this.graph_arn
  auto_enable = var.auto_enable_members
}
