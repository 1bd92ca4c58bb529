variable "auto_enable_members" {
  description = "Whether accounts that join the organization are added to this behavior graph, and billed for it; only for the organization's delegated administrator of Detective. null does not change the organization's setting."
  type        = bool
  default     = null
}
