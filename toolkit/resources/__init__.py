"""What is known of each Terraform type that a module makes: a record per type, a file per AWS service. Pure data."""
