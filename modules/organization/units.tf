# One resource per level, because a unit's parent must exist first; AWS allows five levels below the root.

locals {
  units = { for level in range(1, 6) : level => toset([
    for path in var.organizational_units : path if length(split("/", path)) == level
  ]) }
  unit_names   = { for path in var.organizational_units : path => element(split("/", path), -1) }
  unit_parents = { for path in var.organizational_units : path => join("/", slice(split("/", path), 0, length(split("/", path)) - 1)) }

  unit_ids = { for path, unit in merge(
    aws_organizations_organizational_unit.level_1,
    aws_organizations_organizational_unit.level_2,
    aws_organizations_organizational_unit.level_3,
    aws_organizations_organizational_unit.level_4,
    aws_organizations_organizational_unit.level_5,
  ) : path => unit.id }
}

resource "aws_organizations_organizational_unit" "level_1" {
  for_each = local.units[1]

  name      = local.unit_names[each.key]
  parent_id = local.root_id
}

resource "aws_organizations_organizational_unit" "level_2" {
  for_each = local.units[2]

  name      = local.unit_names[each.key]
  parent_id = aws_organizations_organizational_unit.level_1[local.unit_parents[each.key]].id
}

resource "aws_organizations_organizational_unit" "level_3" {
  for_each = local.units[3]

  name      = local.unit_names[each.key]
  parent_id = aws_organizations_organizational_unit.level_2[local.unit_parents[each.key]].id
}

resource "aws_organizations_organizational_unit" "level_4" {
  for_each = local.units[4]

  name      = local.unit_names[each.key]
  parent_id = aws_organizations_organizational_unit.level_3[local.unit_parents[each.key]].id
}

resource "aws_organizations_organizational_unit" "level_5" {
  for_each = local.units[5]

  name      = local.unit_names[each.key]
  parent_id = aws_organizations_organizational_unit.level_4[local.unit_parents[each.key]].id
}
