"""IAM Access Analyzer: what is shared with the outside, and what nobody uses."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Component, Ending, Protected, Scope
from toolkit.policies import Need
from toolkit.settings.base import Settings
from toolkit.settings.values import checked

_ANALYZER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_RULE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,254}")
_CRITERION = re.compile(
    r"id|error|findingType|isPublic|resource|resourceType|resourceOwnerAccount|status"
    r"|principal\.[A-Za-z]+|condition\.[A-Za-z0-9:/_-]+"
)

_analyzer_name = checked(
    _ANALYZER_NAME, "1 to 255 letters, digits, underscores, periods and hyphens, a letter or underscore first"
)
_rule_name = checked(_RULE_NAME, "1 to 255 letters, digits, underscores, periods and hyphens, a letter first")
_criterion = checked(
    _CRITERION,
    "id, error, findingType, isPublic, resource, resourceType, resourceOwnerAccount, status, principal.AWS or "
    "another principal, or a condition such as condition.aws:PrincipalOrgID",
)


def _one_to_twenty(values: tuple[str, ...]) -> tuple[str, ...]:
    # Not min_length: pydantic would say "too short" also of a list whose one entry is wrong.
    if not 1 <= len(values) <= 20:
        raise ValueError(f"expected 1 to 20 values, not {len(values)}")
    return values


AnalyzerName = Annotated[str, _analyzer_name]
Values = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_one_to_twenty)]


class Filter(Settings):
    """What one criterion of a finding must be; bounds are those of the Access Analyzer API (Criterion)."""

    eq: Values | None = Field(None, description="Matches if it equals any of these; null: not compared.")
    neq: Values | None = Field(None, description="Matches if it equals none of these; null: not compared.")
    contains: Values | None = Field(None, description="Matches if it contains any of these; null: not compared.")
    exists: bool | None = Field(None, description="Matches if it exists (true) or not (false); null: not compared.")

    @model_validator(mode="after")
    def _asks_something(self) -> Filter:
        if all(asked is None for asked in (self.eq, self.neq, self.contains, self.exists)):
            raise ValueError("expected at least one of eq, neq, contains and exists")
        return self


class ArchiveRule(Settings):
    """Findings that are meant to be, and are archived as soon as they come."""

    filters: dict[Annotated[str, _criterion], Filter] = Field(
        description="Criterion => the values it must have; a finding must match all criteria."
    )

    @model_validator(mode="after")
    def _archives_not_everything(self) -> ArchiveRule:
        if not self.filters:
            raise ValueError("filters must name at least one criterion: without one, every finding would be archived")
        return self


class UnusedAccess(Settings):
    """The analyzer of what nobody uses, in the home region: IAM has no region."""

    enabled: bool = Field(False, description="Whether it runs; billed by the number of IAM users and roles.")
    analyzer_name: AnalyzerName = Field("baseline-unused-access", description="Its name.")
    age_days: Annotated[int, Field(ge=1, le=365)] = Field(
        90, description="Days without use after which it reports a finding, 1 to 365."
    )


class AccessAnalyzer(Settings):
    """Settings of `access_analyzer`."""

    analyzer_name: AnalyzerName = Field(
        "baseline-external-access", description="Name of each region's analyzer of external access."
    )
    zone_of_trust: Literal["ACCOUNT", "ORGANIZATION"] = Field(
        "ACCOUNT",
        description="Whose access does not cause findings: that of the account itself, or that of the whole "
        "organization, which only its management account or its delegated administrator can choose.",
    )
    archive_rules: dict[Annotated[str, _rule_name], ArchiveRule] = Field(
        {}, description="Name => rule that archives findings of intended external access."
    )
    unused_access: UnusedAccess = Field(UnusedAccess(), description="The analyzer of unused access.")

    @model_validator(mode="after")
    def _two_names(self) -> AccessAnalyzer:
        if self.analyzer_name == self.unused_access.analyzer_name:
            raise ValueError("unused_access.analyzer_name must differ from analyzer_name")
        return self


COMPONENT = Component(
    name="access_analyzer",
    title="Access Analyzer",
    purpose="Finds resources shared outside the account in every region and, optionally, unused access.",
    scope=Scope.EVERY_REGION,
    settings=AccessAnalyzer,
    derived=("is_home_region",),
    protects=(Protected("aws_accessanalyzer_analyzer"),),
    ending=Ending(("access-analyzer:DeleteAnalyzer",)),
    profiles={
        "minimal": {"unused_access": {"enabled": False}},
        "standard": {"unused_access": {"enabled": False}},
        "strict": {"unused_access": {"enabled": True, "age_days": 90}},
    },
    trusts=lambda settings: ("access-analyzer.amazonaws.com",) if settings.zone_of_trust == "ORGANIZATION" else (),
    needs=(
        Need(
            "access-analyzer:CreateAnalyzer",
            "arn:{partition}:access-analyzer:{region}:{account}:analyzer/baseline-external-access",
        ),
        Need(
            "access-analyzer:CreateArchiveRule",
            "arn:{partition}:access-analyzer:{region}:{account}:analyzer/baseline-external-access",
        ),
        Need(
            "access-analyzer:GetAnalyzer",
            "arn:{partition}:access-analyzer:{region}:{account}:analyzer/baseline-external-access",
        ),
    ),
)
