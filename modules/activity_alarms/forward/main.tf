# The same pattern as in the home region, ../root_sign_in.tf, whose rule reports the events on its event bus.
resource "aws_cloudwatch_event_rule" "root_sign_in" {
  name        = "${var.name}-root-sign-in"
  description = "Forwards sign-ins as root to the home region, which tells of them."
  event_pattern = jsonencode({
    source      = ["aws.signin"]
    detail-type = ["AWS Console Sign In via CloudTrail"]
    detail = {
      eventName    = [{ anything-but = ["CheckMfa"] }]
      userIdentity = { type = ["Root"] }
    }
  })
}

resource "aws_cloudwatch_event_target" "root_sign_in" {
  rule      = aws_cloudwatch_event_rule.root_sign_in.name
  target_id = "home-region"
  arn       = var.event_bus_arn
  role_arn  = var.role_arn
}
