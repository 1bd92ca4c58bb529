variable "block_s3_public_access" {
  description = "Whether no bucket of the account can be public, neither through its policy nor through ACLs, including buckets that are public now; false does not change the account's setting."
  type        = bool
  default     = true
  nullable    = false
}

variable "account_alias" {
  description = "Name that replaces the account id in the address of the sign-in page, unique in all of AWS; null does not change the account's alias."
  type        = string
  default     = null

  validation {
    condition     = var.account_alias == null ? true : can(regex("^[a-z0-9](-?[a-z0-9])*$", var.account_alias)) && length(var.account_alias) >= 3 && length(var.account_alias) <= 63 && !can(regex("^[0-9]{12}$", var.account_alias))
    error_message = "account_alias must be 3 to 63 lowercase letters, digits and single hyphens between them, and no twelve digits, which would look like an account number; or null."
  }
}

variable "budgets" {
  description = "Name => cost budget with alerts: the limit in US dollars, the period (DAILY, MONTHLY, QUARTERLY, ANNUALLY), the alerts (percent of the limit, of the ACTUAL or the FORECASTED costs), the recipients (up to ten e-mail addresses, one SNS topic), and cost filters (name => values; none counts everything)."
  type = map(object({
    limit_usd = number
    period    = optional(string, "MONTHLY")
    alerts = optional(list(object({
      percent = number
      of      = optional(string, "ACTUAL")
    })), [{ percent = 80 }, { percent = 100 }, { percent = 100, of = "FORECASTED" }])
    email_addresses = optional(set(string), [])
    sns_topic_arn   = optional(string)
    cost_filters    = optional(map(list(string)), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.budgets) : can(regex("^[^:\\\\]{1,100}$", name)) && !strcontains(name, "/action/")])
    error_message = "budgets must have names of 1 to 100 characters without colon, backslash and \"/action/\"."
  }

  validation {
    condition     = alltrue([for budget in values(var.budgets) : budget.limit_usd > 0])
    error_message = "budgets must each have a limit_usd above 0."
  }

  validation {
    condition     = alltrue([for budget in values(var.budgets) : contains(["DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"], budget.period)])
    error_message = "budgets must each have a period of DAILY, MONTHLY, QUARTERLY or ANNUALLY."
  }

  validation {
    condition     = alltrue([for budget in values(var.budgets) : length(budget.alerts) >= 1 && length(budget.alerts) <= 10 && length(distinct([for alert in budget.alerts : "${alert.of} ${alert.percent}"])) == length(budget.alerts)])
    error_message = "budgets must each have 1 to 10 alerts, no two of them the same."
  }

  validation {
    condition     = alltrue(flatten([for budget in values(var.budgets) : [for alert in budget.alerts : contains(["ACTUAL", "FORECASTED"], alert.of) && alert.percent > 0 && alert.percent <= 1000]]))
    error_message = "budgets must have alerts of ACTUAL or FORECASTED costs at more than 0 and up to 1000 percent."
  }

  validation {
    condition     = alltrue(flatten([for budget in values(var.budgets) : [for alert in budget.alerts : budget.period != "DAILY" || alert.of == "ACTUAL"]]))
    error_message = "budgets of the period DAILY must have alerts of ACTUAL costs only: AWS forecasts no single day."
  }

  validation {
    condition     = alltrue([for budget in values(var.budgets) : length(budget.email_addresses) <= 10 && (length(budget.email_addresses) > 0 || budget.sns_topic_arn != null)])
    error_message = "budgets must each have a recipient: up to ten email_addresses, or an sns_topic_arn."
  }

  validation {
    condition     = alltrue(flatten([for budget in values(var.budgets) : [for address in budget.email_addresses : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))]]))
    error_message = "budgets must have email_addresses of the form name@example.com."
  }

  validation {
    condition     = alltrue([for budget in values(var.budgets) : budget.sns_topic_arn == null ? true : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", budget.sns_topic_arn))])
    error_message = "budgets must have as sns_topic_arn the ARN of a topic, such as arn:aws:sns:us-east-1:123456789012:costs, or null."
  }

  validation {
    condition     = alltrue(flatten([for budget in values(var.budgets) : [for filter in values(budget.cost_filters) : length(filter) > 0]]))
    error_message = "budgets must have at least one value in each of their cost_filters."
  }
}
