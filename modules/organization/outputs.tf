output "organization_id" {
  description = "Id of the organization."
  value       = local.organization.id
}

output "root_id" {
  description = "Id of the organization's root."
  value       = local.root_id
}

output "organizational_unit_ids" {
  description = "Path of each managed unit => its id."
  value       = local.unit_ids
}

output "policy_ids" {
  description = "Name of each managed policy => its id."
  value       = local.policy_ids
}
