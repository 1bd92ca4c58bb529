variable "enabled_features" {
  description = "Central root access to the organization's member accounts: RootCredentialsManagement allows deleting their root users' credentials, RootSessions allows short sessions for root's tasks there. Only for the organization's management account; empty elsewhere."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.enabled_features, ["RootCredentialsManagement", "RootSessions"])) == 0
    error_message = "enabled_features must be of RootCredentialsManagement and RootSessions."
  }
}
