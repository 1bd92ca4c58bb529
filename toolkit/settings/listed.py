"""Settings whose values are names of AWS: a misspelling is refused, a name newer than our list is accepted.

A validator cannot report and go on: with `REPORT` as pydantic's context it raises for a newer name, too, and pydantic
adds the place. Whoever loads a file validates once with it, collects what was reported, and validates again without.
"""

from __future__ import annotations

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from toolkit.aws_lists import AwsList, aws_list
from toolkit.regions import PARTITION_OF, SDK_REGIONS, TRIED_PARTITIONS, lacking, partition_of
from toolkit.spelling import nearest

MISSPELT = "misspelt"
"""Type of the error about a misspelt name; its context has `expected` and `guess`."""

NEWER = "newer_than_list"
"""Type of the error about a name that is newer than the list; its context has `text`."""

REPORT = {"report_newer": True}
"""The context of a validation that shall report names that are newer than their list."""


_REGIONS = tuple(sorted({*PARTITION_OF, *SDK_REGIONS}))


def misspelt(expected: str, guess: str | None) -> PydanticCustomError:
    """The error about a misspelt name.

    Args:
        expected: What would be accepted.
        guess: The name that is meant, if one is near.
    """
    text = "expected {expected} (did you mean {guess}?)" if guess else "expected {expected}"
    return PydanticCustomError(MISSPELT, text, {"expected": expected, "guess": guess})


def report_newer(name: str, known: AwsList, info: ValidationInfo, *, then: str = "") -> None:
    """Report a name that is accepted as newer than its list.

    Args:
        name: The name.
        known: Its list.
        info: Of the validator.
        then: What follows from it, after a semicolon.

    Raises:
        PydanticCustomError: The report, where the validation shall report.
    """
    text = f"{name!r} is not in the list of {known.title} ({known.taken}) and is accepted as newer"
    _report(f"{text}; {then or 'check the spelling'}", info)


def _report(text: str, info: ValidationInfo) -> None:
    if info.context and info.context.get("report_newer"):
        raise PydanticCustomError(NEWER, "{text}", {"text": text})


def listed(name: str, known: AwsList, info: ValidationInfo) -> str:
    """The name, if it is listed or newer than the list.

    Raises:
        PydanticCustomError: It is a misspelling, or is to be reported as newer.
    """
    if name not in known:
        guess = known.nearest(name)
        if guess:
            raise misspelt(f"a name of the list of {known.title}", guess)
        report_newer(name, known, info)
    return name


def region_name(name: str) -> str:
    """The region, if it is one; not reported where it is newer: `new_region_name` does, where regions are chosen."""
    if partition_of(name) is None:
        raise misspelt("an AWS region, like eu-central-1", nearest(name, _REGIONS))
    return name


def new_region_name(name: str, info: ValidationInfo) -> str:
    """As `region_name`, and reported where it is newer than the list, or in a partition that was never tried."""
    partition = partition_of(region_name(name))
    untried = f"nothing of the toolkit was tried in its partition, {partition}"
    if name not in PARTITION_OF:
        then = ["Terraform's own check of it is off", "which services AWS offers there is unknown"]
        if name in SDK_REGIONS:
            then.insert(0, f"{aws_list('partitions').source} knows it")
        elif near := nearest(name, [r for r in _REGIONS if partition_of(r) == partition]):
            then.insert(0, f"the nearest region that is known is {near}")
        if partition not in TRIED_PARTITIONS:
            then.append(untried)
        report_newer(name, aws_list("regions"), info, then="; ".join(then))
    elif partition not in TRIED_PARTITIONS:
        _report(f"{untried}: what AWS offers in {name}, and what differs from other partitions, is unknown", info)
    return name


def offered(service: str) -> AfterValidator:
    """Validator of a region in which AWS offers a service by now, though the list of services by region lacks it.

    Args:
        service: As botocore names it.
    """

    def check(name: str, info: ValidationInfo) -> str:
        if region_name(name) in lacking(service):
            taken = aws_list("service_regions").taken
            _report(f"the list of services by region ({taken}) lacks it in {name}, which is accepted as newer", info)
        return name

    return AfterValidator(check)
