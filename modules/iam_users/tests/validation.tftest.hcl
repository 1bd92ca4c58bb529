# A mocked policy document is no JSON unless it is told so; none is asserted here.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  group_names = ["developers"]
}

run "bad_names_and_status" {
  command = plan

  variables {
    users                = { "two words" = { owner = "x", review_date = "2027-03-31", status = "gone" } }
    suspended_group_name = "Developers"
  }

  expect_failures = [var.users, var.suspended_group_name]
}

run "bad_group_name" {
  command = plan

  variables {
    existing_groups = ["two words"]
  }

  expect_failures = [var.existing_groups]
}

run "names_differ_by_case" {
  command = plan

  variables {
    users = { anna = { owner = "x", review_date = "2027-03-31" }, Anna = { owner = "x", review_date = "2027-03-31" } }
  }

  expect_failures = [var.users]
}

run "unknown_group" {
  command = plan

  variables {
    users = { anna = { owner = "x", review_date = "2027-03-31", groups = ["developer"] } }
  }

  expect_failures = [var.users]
}

run "no_such_day" {
  command = plan

  variables {
    users = { anna = { owner = "x", review_date = "2027-02-30" } }
  }

  expect_failures = [var.users]
}

run "bad_owner" {
  command = plan

  variables {
    users = { anna = { owner = "a;b", review_date = "2027-03-31" } }
  }

  expect_failures = [var.users]
}

run "bad_path" {
  command = plan

  variables {
    users = { anna = { owner = "x", review_date = "2027-03-31", path = "people" } }
  }

  expect_failures = [var.users]
}

run "bad_key" {
  command = plan

  variables {
    users = { anna = { owner = "x", review_date = "2027-03-31", console_pgp_key = "anna" } }
  }

  expect_failures = [var.users]
}

run "own_tags" {
  command = plan

  variables {
    users = { anna = { owner = "x", review_date = "2027-03-31", tags = { owner = "y" } } }
  }

  expect_failures = [var.users]
}

run "too_many_groups" {
  command = plan

  variables {
    existing_groups = [for number in range(11) : "g${number}"]
    users           = { anna = { owner = "x", review_date = "2027-03-31", groups = [for number in range(11) : "g${number}"] } }
  }

  expect_failures = [var.users]
}
