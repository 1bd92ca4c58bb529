output "bucket_arn" {
  description = "ARN of the bucket, once GuardDuty may write to it."
  value       = module.bucket.arn
}

output "bucket_name" {
  description = "Name of the bucket, once GuardDuty may write to it."
  value       = module.bucket.name
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts exported findings; their readers need kms:Decrypt on it."
  value       = aws_kms_key.this.arn
}
