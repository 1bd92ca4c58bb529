"""GuardDuty, corrected."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.guardduty import urls as guardduty_urls
from moto.guardduty.models import Detector
from moto.guardduty.responses import GuardDutyResponse

from toolkit.sandbox.patches.base import Method, Patch, Route


def _merge_features(
    present: list[dict[str, Any]], requested: list[dict[str, Any]], merge_nested: bool = True
) -> list[dict[str, Any]]:
    merged = {feature["name"]: dict(feature) for feature in present}
    for feature in requested:
        before = merged.get(feature["name"], {})
        after = {**before, **feature}
        if merge_nested and (before.get("additionalConfiguration") or feature.get("additionalConfiguration")):
            after["additionalConfiguration"] = _merge_features(
                before.get("additionalConfiguration") or [], feature.get("additionalConfiguration") or [], False
            )
        merged[feature["name"]] = after
    return list(merged.values())


def _update_detector(original: Method) -> Method:
    def update(
        self: Detector,
        enable: bool | None,
        finding_publishing_frequency: str | None,
        data_sources: dict[str, Any] | None,
        features: list[dict[str, Any]] | None,
    ) -> None:
        merged = None if features is None else _merge_features(self.features, features)
        original(self, enable, finding_publishing_frequency, data_sources, merged)

    return update


def _detector_answer(original: Method) -> Method:
    def to_json(self: Detector) -> dict[str, Any]:
        answer: dict[str, Any] = original(self)
        status = {feature["name"]: {"status": feature["status"]} for feature in self.features}
        sources = answer["dataSources"]
        if "S3_DATA_EVENTS" in status:
            sources["s3Logs"] = status["S3_DATA_EVENTS"]
        if "EKS_AUDIT_LOGS" in status:
            sources["kubernetes"] = {"auditLogs": status["EKS_AUDIT_LOGS"]}
        if "EBS_MALWARE_PROTECTION" in status:
            volumes = {"ebsVolumes": status["EBS_MALWARE_PROTECTION"]}
            sources["malwareProtection"] = {"scanEc2InstanceWithFindings": volumes}
        return answer

    return to_json


def _tagged_detector(response: GuardDutyResponse) -> Detector:
    arn = unquote(response.path).split("/tags/", 1)[1]
    return response.guardduty_backend.get_detector(arn.rsplit("/", 1)[-1])


def _tag_detector(_original: Method) -> Method:
    def tag_resource(self: GuardDutyResponse) -> str:
        _tagged_detector(self).tags.update(self._get_param("tags"))
        return "{}"

    return tag_resource


def _untag_detector(_original: Method) -> Method:
    def untag_resource(self: GuardDutyResponse) -> str:
        tags = _tagged_detector(self).tags
        for key in self.querystring.get("tagKeys", []):
            tags.pop(key, None)
        return "{}"

    return untag_resource


def _list_detector_tags(_original: Method) -> Method:
    def list_tags_for_resource(self: GuardDutyResponse) -> str:
        return json.dumps({"tags": _tagged_detector(self).tags})

    return list_tags_for_resource


_DETECTOR_TAGS = (
    "moto keeps the tags a detector is created with but has no call that changes or lists them, so a changed default "
    "tag fails the apply. GuardDuty API, TagResource, UntagResource, ListTagsForResource: /tags/{resourceArn}."
)

PATCHES = (
    Patch(
        name="guardduty-feature-merge",
        owner=Detector,
        method="update",
        reason="moto replaces all features of a detector by those of the last call. GuardDuty API, UpdateDetector: the "
        "features named in the call are updated, the others stay as they are.",
        correct=_update_detector,
    ),
    Patch(
        name="guardduty-data-sources",
        owner=Detector,
        method="to_json",
        reason="moto shows a protection plan that is a feature as a disabled source. GuardDuty API, GetDetector, and "
        "GuardDuty API changes in March 2023 (User Guide): features and dataSources have the same information; "
        "S3_DATA_EVENTS, EKS_AUDIT_LOGS and EBS_MALWARE_PROTECTION have a data source each.",
        correct=_detector_answer,
    ),
    Patch("guardduty-tag", GuardDutyResponse, "tag_resource", _DETECTOR_TAGS, _tag_detector),
    Patch("guardduty-untag", GuardDutyResponse, "untag_resource", _DETECTOR_TAGS, _untag_detector),
    Patch("guardduty-list-tags", GuardDutyResponse, "list_tags_for_resource", _DETECTOR_TAGS, _list_detector_tags),
)

ROUTES = (Route(guardduty_urls.url_paths, "{0}/tags/(?P<resource_arn>.+)$", GuardDutyResponse.dispatch),)
