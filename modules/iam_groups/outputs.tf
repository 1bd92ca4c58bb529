output "group_names" {
  description = "Names of all groups, sorted."
  value       = sort([for group in aws_iam_group.this : group.name])
}

output "group_arns" {
  description = "Group name to ARN."
  value       = { for name, group in aws_iam_group.this : name => group.arn }
}

output "administrator_group_names" {
  description = "Names of the groups whose members may administer identities, sorted."
  value       = sort([for name in keys(local.groups) : name if local.groups[name].administrator])
}

output "guardrail_policy_arn" {
  description = "ARN of the managed policy that denies identity administration."
  value       = aws_iam_policy.guardrail.arn
}

output "guardrail_policy_json" {
  description = "Document of the managed policy that denies identity administration."
  value       = data.aws_iam_policy_document.guardrail.json
}

output "log_guardrail_policy_json" {
  description = "Document of the managed policy that denies changes to what holds logs and carries alerts; without statements where there is none."
  value       = data.aws_iam_policy_document.log_guardrail.json
}

output "self_service_policy_json" {
  description = "Document of the managed policy that allows users to rotate their own access keys."
  value       = data.aws_iam_policy_document.self_service.json
}

output "inline_policies_json" {
  description = "Documents of the inline policies, by GROUP/POLICY."
  value       = { for key, document in data.aws_iam_policy_document.inline : key => document.json }
}
