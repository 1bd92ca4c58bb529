variable "resource_types" {
  description = "What Inspector scans, each billed separately: EC2 (instances), ECR (images), LAMBDA (packages of functions) and LAMBDA_CODE (their code, which needs LAMBDA)."
  type        = set(string)
  default     = ["EC2", "ECR", "LAMBDA"]
  nullable    = false

  validation {
    condition     = length(var.resource_types) > 0 && length(setsubtract(var.resource_types, ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"])) == 0
    error_message = "resource_types must name at least one of EC2, ECR, LAMBDA and LAMBDA_CODE, and nothing else."
  }

  validation {
    condition     = !contains(var.resource_types, "LAMBDA_CODE") || contains(var.resource_types, "LAMBDA")
    error_message = "resource_types must have LAMBDA if it has LAMBDA_CODE."
  }
}
