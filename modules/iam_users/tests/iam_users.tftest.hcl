# The policy document is asserted, so the real provider evaluates it offline.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

# One with default tags that are, to IAM, those of the module.
provider "aws" {
  alias                       = "tagged"
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true

  default_tags {
    tags = { owner = "platform@example.com", TEAM = "all", Stage = "one" }
  }
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "nobody" {
  command = plan

  assert {
    condition     = length(aws_iam_user.this) + length(aws_iam_user_login_profile.first) == 0 && aws_iam_group.suspended.name == "suspended-users"
    error_message = "Without users there is only the group that suspended ones would go to."
  }
  assert {
    condition     = jsondecode(output.suspended_policy_json).Statement[0] == { Sid = "DenyEverything", Effect = "Deny", Action = "*", Resource = "*" }
    error_message = "Suspended users are denied everything."
  }
}

run "life_cycle" {
  command = plan

  variables {
    group_names     = ["administrators", "developers"]
    existing_groups = ["readers"]
    users = {
      anna  = { owner = "lead@example.com", review_date = "2027-03-31", groups = ["administrators", "readers"], path = "/people/", tags = { Team = "platform" } }
      bert  = { owner = "lead@example.com", review_date = "2027-03-31", groups = ["developers"], console_pgp_key = "keybase:bert", status = "suspended" }
      carla = { owner = "lead@example.com", review_date = "2027-03-31", groups = ["gone"], status = "removed" }
      dora  = { owner = "lead@example.com", review_date = "2027-03-31" }
      emil  = { owner = "lead@example.com", review_date = "2027-03-31", groups = ["developers"], console_pgp_key = "mQENBGsFetMBCACeVfFU9cr3rBq50yfpKgyWMJL+MnyaECriSTGlucoflvbVK8LNFkFh+b+8EAqCMw+/j28sgpt6MuW/YVqKOZtaunwX9CxQfZMq0MRyifBIia9JegSOdiGVYSlncy9i/CUSx3wxU+PNGEmxzWz7IPca78ySPcNsLZSVA06qgTZsv3WR2tWvu+Z8tBH3d0FxOWqttporI7VarH4HcISVgMLRyUNCk2tXv1bIpiIuSIYgg2c1WKmIhcYTtxiPKrVYRAfggTvH8bBZHC/g/y8JVoEICxDL05vKD+Cq+lI4vV0luqMnJyU40NwY+3YzN8XZUwBYycweB8hZ8wS0Twhv0ZyhABEBAAG0HkV4YW1wbGUgPHNlY3VyaXR5QGV4YW1wbGUuY29tPokBTgQTAQoAOBYhBMRUQ/ECqffhL542dORxGw3VwoxZBQJrBXrTAhsNBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEORxGw3VwoxZ6l0H+wc4ZlQBZQmUTmjnfnGBqBVbzNuMLiccg+1YsBAHc5Plqstt3y4v5QxtbnbFdA/fl8ara7sF0+AzIT3iG7pfY+Iwcyz7WXyzqCRbrYKAFdmabBteU0k2te6iFjFYHYgyppKG1WqYZTKx9itAdRjmQowyO67eIi9RPo0Oyn7d9MZ8V2nErYHM3b2/TnP07HT59TBNeJRDcPINziqZSybY3wOpbj/3LD/tV1thXcE/Fbzb7D4OtXNnq5CQUjNJU0Sc2XcZQ5IDWpXI4AHOUj8uqdOCiNEi9qhzceTH01iexUMdDz3sJKkgKOZMREKenYh+5EZ2pkP49smsaWCz334TcQo=" }
    }
  }

  assert {
    condition     = keys(aws_iam_user.this) == ["anna", "bert", "dora", "emil"] && alltrue([for user in aws_iam_user.this : user.force_destroy])
    error_message = "Suspended users stay, removed ones do not; each is deleted with its credentials."
  }
  assert {
    condition     = aws_iam_user.this["anna"].tags == tomap({ Team = "platform", Owner = "lead@example.com", ReviewDate = "2027-03-31" })
    error_message = "Owner and review date are tags."
  }
  assert {
    condition     = { for name, membership in aws_iam_user_group_membership.active : name => sort(membership.groups) } == { anna = tolist(["administrators", "readers"]), emil = tolist(["developers"]) }
    error_message = "Active users are in their groups, suspended ones in none."
  }
  assert {
    condition     = { for name, membership in aws_iam_user_group_membership.suspended : name => membership.groups } == { bert = toset(["suspended-users"]) }
    error_message = "Suspended users are in the group that denies everything."
  }
  assert {
    condition     = keys(aws_iam_user_login_profile.first) == ["emil"] && aws_iam_user_login_profile.first["emil"].password_reset_required
    error_message = "A first password only for active users with a key, and to be changed at once."
  }
  assert {
    condition     = output.user_arns["anna"] == "arn:aws:iam::123456789012:user/people/anna" && output.user_arns["dora"] == "arn:aws:iam::123456789012:user/dora"
    error_message = "ARNs are known before the apply, paths included."
  }
}

run "default_tags_of_another_case" {
  command = plan

  providers = { aws = aws.tagged }

  variables {
    users = { anna = { owner = "lead@example.com", review_date = "2027-03-31", tags = { Team = "platform" } } }
  }

  assert {
    condition     = aws_iam_user.this["anna"].tags_all == tomap({ owner = "lead@example.com", TEAM = "platform", Stage = "one", ReviewDate = "2027-03-31" })
    error_message = "The module's own tags take the place of default tags whose keys IAM does not distinguish from them."
  }
}
