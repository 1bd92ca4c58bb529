# Creates a topic, unless topic_arn names one.
module "alerts" {
  source   = "../shared/alert_topic"
  for_each = toset(var.subscribers == null ? [] : ["topic"])

  name            = var.name
  display_name    = "Trusted Advisor"
  key_description = "Encrypts the topic that tells of Trusted Advisor's checks."
  alarm_name      = "${var.name}-undelivered"
  subscribers     = var.subscribers
}

# Addresses of 0.1. Some had the topic's name as their key: these blocks move them where it was the default. Where var.name
# is another, the caller moves them to the default first, as the toolkit's rendered files do (README): Terraform refuses
# two moves to one address ("Ambiguous move statements").
moved {
  from = aws_sns_topic.this["baseline-trusted-advisor"]
  to   = module.alerts["topic"].aws_sns_topic.this
}

moved {
  from = aws_sns_topic_policy.this["baseline-trusted-advisor"]
  to   = module.alerts["topic"].aws_sns_topic_policy.this
}

moved {
  from = aws_kms_key.topic["baseline-trusted-advisor"]
  to   = module.alerts["topic"].aws_kms_key.topic
}

moved {
  from = aws_kms_alias.topic["baseline-trusted-advisor"]
  to   = module.alerts["topic"].aws_kms_alias.topic
}

moved {
  from = aws_sns_topic_subscription.email
  to   = module.alerts["topic"].aws_sns_topic_subscription.email
}

moved {
  from = aws_sns_topic_subscription.https
  to   = module.alerts["topic"].aws_sns_topic_subscription.https
}
