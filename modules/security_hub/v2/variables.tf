variable "finding_aggregation" {
  description = "Whether this region collects the linked regions' findings; false where an organization's delegated administrator does."
  type        = bool
  default     = true
  nullable    = false
}

variable "linked_regions" {
  description = "Regions whose findings this region collects; empty creates no aggregator."
  type        = set(string)
  default     = []
  nullable    = false
}
