output "budget_arns" {
  description = "Name => ARN of the budgets."
  value       = { for name, budget in aws_budgets_budget.this : name => budget.arn }
}
