"""ECR: which images the registry of a region scans by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.audit.facts import Every
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status

_SCANNING = "aws_ecr_registry_scanning_configuration"
_BY_ITSELF = ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")


def _needs(scope: Scope) -> Iterator[Every]:
    yield Every(_SCANNING, scope.region)


def _judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    for registry in answers[Every(_SCANNING, scope.region)]:
        rules = registry.values["rule"]
        scanning = next((rule for rule in rules if _of_all(rule) and rule["scan_frequency"] in _BY_ITSELF), None)
        if scanning is not None:
            how = "when they are pushed" if scanning["scan_frequency"] == "SCAN_ON_PUSH" else "continuously"
            yield Outcome(Status.PASS, f"ECR scans the images of every repository {how}", registry)
        elif any(map(_of_all, rules)):
            yield Outcome(
                Status.FAIL, "ECR scans the images of every repository only when a user starts a scan", registry
            )
        else:
            yield Outcome(Status.FAIL, "ECR does not scan the images of every repository", registry)


def _of_all(rule: Mapping[str, Any]) -> bool:
    return any(one["filter"] == "*" for one in rule["repository_filter"])


CHECKS = (
    Check(
        "ecr_repositories_are_scanned",
        "ECR scans the images of every repository by itself.",
        Severity.HIGH,
        "ecr",
        _needs,
        _judge,
        Remedy(
            "set `components.ecr_defaults.scan_on_push_filters` in environment.yaml",
            "ecr_defaults",
            "scan_on_push_filters",
        ),
        why="Images with known vulnerabilities run unnoticed.",
        regional=True,
        source="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegistryScanningRule.html",
    ),
)
