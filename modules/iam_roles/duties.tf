# Separation of duties: of two roles in conflict, a principal may assume at most one.
locals {
  # An account means all principals in it, so it conflicts with each of its users and roles.
  accounts = { for name, arns in local.trusted : name => toset([for arn in arns : try(split(":", arn)[4], arn)]) }
  whole    = { for name, arns in local.trusted : name => toset([for arn in arns : try(split(":", arn)[4], arn) if endswith(arn, ":root")]) }
  arns     = { for name, role in local.people : name => "${local.iam}:role${role.path}${name}" }

  meets = {
    for pair in var.conflicts : join("/", pair) => anytrue([
      length(setintersection(local.trusted[pair[0]], local.trusted[pair[1]])) > 0,
      length(setintersection(local.whole[pair[0]], local.accounts[pair[1]])) > 0,
      length(setintersection(local.whole[pair[1]], local.accounts[pair[0]])) > 0,
      # A principal with one role could then assume the other.
      contains(local.trusted[pair[0]], local.arns[pair[1]]),
      contains(local.trusted[pair[1]], local.arns[pair[0]]),
    ]) if alltrue([for name in pair : contains(keys(local.people), name)])
  }

  # Role => the roles that it conflicts with.
  clashes = {
    for name in keys(local.people) : name => [
      for pair in var.conflicts : one(setsubtract(pair, [name])) if contains(pair, name) && lookup(local.meets, join("/", pair), false)
    ] if anytrue([for pair in var.conflicts : contains(pair, name) && lookup(local.meets, join("/", pair), false)])
  }
}
