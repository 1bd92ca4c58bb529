mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = aws_accessanalyzer_analyzer.external_access.type == "ACCOUNT" && aws_accessanalyzer_analyzer.external_access.analyzer_name == "baseline-external-access"
    error_message = "External access must be analyzed (CIS 5.0 1.19)."
  }

  assert {
    condition     = length(aws_accessanalyzer_archive_rule.external_access) + length(aws_accessanalyzer_analyzer.unused_access) == 0
    error_message = "Nothing may be archived, and nothing billed, unless asked for."
  }
}

run "everything" {
  command = plan

  variables {
    zone_of_trust = "ORGANIZATION"
    archive_rules = {
      our-auditor = { filters = { "principal.AWS" = { eq = ["111122223333"] }, error = { exists = false } } }
    }
    unused_access = { enabled = true, age_days = 45 }
  }

  assert {
    condition     = aws_accessanalyzer_analyzer.unused_access["baseline-unused-access"].type == "ORGANIZATION_UNUSED_ACCESS" && aws_accessanalyzer_analyzer.unused_access["baseline-unused-access"].configuration[0].unused_access[0].unused_access_age == 45
    error_message = "Unused access must be analyzed as asked for."
  }

  assert {
    condition     = [for f in aws_accessanalyzer_archive_rule.external_access["our-auditor"].filter : f.eq if f.criteria == "principal.AWS"] == [tolist(["111122223333"])]
    error_message = "A filter must ask for the values that it was given."
  }

  assert {
    condition     = [for f in aws_accessanalyzer_archive_rule.external_access["our-auditor"].filter : f.exists if f.criteria == "error"] == ["false"]
    error_message = "A filter must ask whether it is there, if it was told to."
  }
}

run "unused_access_once" {
  command = plan

  variables {
    is_home_region = false
    unused_access  = { enabled = true }
  }

  assert {
    condition     = length(aws_accessanalyzer_analyzer.unused_access) == 0
    error_message = "A second analyzer of unused access would find the same and bill again."
  }
}

run "refused" {
  command = plan

  variables {
    analyzer_name = "1st"
    zone_of_trust = "REGION"
    archive_rules = {
      "1st"  = { filters = {} }
      filter = { filters = { owner = {}, resource = { eq = [for i in range(21) : "x"] } } }
    }
  }

  expect_failures = [var.analyzer_name, var.zone_of_trust, var.archive_rules]
}

run "refused_of_unused_access" {
  command = plan

  variables {
    analyzer_name = "baseline-unused-access"
    unused_access = { age_days = 366 }
  }

  expect_failures = [var.unused_access]
}
