module "alerts" {
  source = "../shared/alert_topic"

  name            = var.name
  display_name    = "Account activity"
  key_description = "Encrypts the topic that tells of activity in the account."
  alarm_name      = "${var.name}-*"
  subscribers     = var.subscribers
}

# Addresses of 0.1.
moved {
  from = aws_sns_topic.this
  to   = module.alerts.aws_sns_topic.this
}

moved {
  from = aws_sns_topic_policy.this
  to   = module.alerts.aws_sns_topic_policy.this
}

moved {
  from = aws_sns_topic_subscription.email
  to   = module.alerts.aws_sns_topic_subscription.email
}

moved {
  from = aws_sns_topic_subscription.https
  to   = module.alerts.aws_sns_topic_subscription.https
}

moved {
  from = aws_kms_key.topic
  to   = module.alerts.aws_kms_key.topic
}

moved {
  from = aws_kms_alias.topic
  to   = module.alerts.aws_kms_alias.topic
}
