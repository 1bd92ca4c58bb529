mock_provider "aws" {
  mock_resource "aws_detective_graph" {
    defaults = { graph_arn = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234" }
  }
}

run "defaults" {
  command = apply

  assert {
    condition     = length(aws_detective_organization_configuration.this) == 0 && output.graph_arn == "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
    error_message = "There must be a graph, and the organization be left alone."
  }
}

run "organization" {
  command = apply

  variables {
    auto_enable_members = true
  }

  assert {
    condition     = aws_detective_organization_configuration.this["members"].auto_enable && aws_detective_organization_configuration.this["members"].graph_arn == "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
    error_message = "New members must come into this graph."
  }
}
