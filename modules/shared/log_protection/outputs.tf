output "policy_json" {
  description = "Policy document with the denials; without statements where nothing is protected."
  value       = data.aws_iam_policy_document.this.json
}

output "is_empty" {
  description = "Whether nothing is protected."
  value       = length(local.resources) == 0
}
