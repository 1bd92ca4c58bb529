"""Who would lose access to the account by a plan; see `guard`."""
