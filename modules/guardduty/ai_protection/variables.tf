variable "detector_id" {
  description = "Id of the region's detector."
  type        = string
  nullable    = false
}

variable "ai_protection" {
  description = "AI Protection: ENABLED (billed by use), DISABLED, or null, which does not change the plan."
  type        = string
  default     = null

  validation {
    condition     = var.ai_protection == null ? true : contains(["ENABLED", "DISABLED"], var.ai_protection)
    error_message = "ai_protection must be ENABLED, DISABLED or null."
  }
}
