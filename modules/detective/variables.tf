variable "auto_enable_members" {
  description = "Whether accounts that join the organization are added to this behaviour graph, and billed to them; only for the organization's delegated administrator of Detective. null leaves the organization alone."
  type        = bool
  default     = null
}
