variable "protected" {
  description = "Names by kind of resource, such as buckets or key_aliases: the kinds under tampering in privileges.json."
  type        = map(list(string))
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.protected), keys(jsondecode(file("${path.module}/../privileges.json")).tampering))) == 0
    error_message = "protected must have no other kinds than those under tampering in modules/shared/privileges.json."
  }
}

variable "account_id" {
  description = "Id of the account that the resources are in."
  type        = string
  nullable    = false
}

variable "partition" {
  description = "Partition of the account, such as aws."
  type        = string
  nullable    = false
}
