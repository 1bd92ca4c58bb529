# Separation of duties: of two roles in conflict, nobody may be let into both.
locals {
  # An account stands for everybody in it, so it meets each of its users and roles.
  accounts = { for name, arns in local.trusted : name => toset([for arn in arns : try(split(":", arn)[4], arn)]) }
  whole    = { for name, arns in local.trusted : name => toset([for arn in arns : try(split(":", arn)[4], arn) if endswith(arn, ":root")]) }
  arns     = { for name, role in local.people : name => "${local.iam}:role${role.path}${name}" }

  meets = {
    for pair in var.conflicts : join("/", pair) => anytrue([
      length(setintersection(local.trusted[pair[0]], local.trusted[pair[1]])) > 0,
      length(setintersection(local.whole[pair[0]], local.accounts[pair[1]])) > 0,
      length(setintersection(local.whole[pair[1]], local.accounts[pair[0]])) > 0,
      # Whoever has the one role could go on to the other.
      contains(local.trusted[pair[0]], local.arns[pair[1]]),
      contains(local.trusted[pair[1]], local.arns[pair[0]]),
    ]) if alltrue([for name in pair : contains(keys(local.people), name)])
  }

  # Role => the roles that it clashes with.
  clashes = {
    for name in keys(local.people) : name => [
      for pair in var.conflicts : one(setsubtract(pair, [name])) if contains(pair, name) && lookup(local.meets, join("/", pair), false)
    ] if anytrue([for pair in var.conflicts : contains(pair, name) && lookup(local.meets, join("/", pair), false)])
  }
}
