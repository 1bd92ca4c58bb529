"""CloudTrail, corrected."""

from __future__ import annotations

import json

from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse

from toolkit.sandbox.patches.base import Method, Patch


def _describe_trails(_original: Method) -> Method:
    def describe_trails(self: CloudTrailResponse) -> str:
        shadows = self._get_bool_param("includeShadowTrails", True)
        names = self._get_param("trailNameList") or []
        trails = list(self.cloudtrail_backend.describe_trails(shadows))
        if names:
            # A name finds a trail of this region, an ARN one of any region; an unknown name is left out, not an error.
            everywhere = [t for b in cloudtrail_backends[self.current_account].values() for t in b.trails.values()]
            trails = [t for t in trails if t.trail_name in names] + [t for t in everywhere if t.arn in names]
        return json.dumps({"trailList": [t.description(include_region=True) for t in trails]})

    return describe_trails


def _delete_trail(original: Method) -> Method:
    def delete_trail(self: CloudTrailResponse) -> str:
        wanted = self._get_param("Name")
        # moto keys its trails by name; the provider deletes by ARN.
        for trail in list(self.cloudtrail_backend.trails.values()):
            if trail.arn == wanted:
                self.cloudtrail_backend.delete_trail(trail.trail_name)
        answer: str = original(self)
        return answer

    return delete_trail


PATCHES = (
    Patch(
        name="cloudtrail-describe-trails-names",
        owner=CloudTrailResponse,
        method="describe_trails",
        reason="moto ignores trailNameList and returns every trail, so with two trails the provider says 'too many "
        "results: wanted 1'. CloudTrail API, DescribeTrails: the list names the trails to return.",
        correct=_describe_trails,
    ),
    Patch(
        name="cloudtrail-delete-trail-arn",
        owner=CloudTrailResponse,
        method="delete_trail",
        reason="moto finds no trail by its ARN and answers success, so a destroy leaves the trail behind. CloudTrail "
        "API, DeleteTrail: Name is the name or the ARN of the trail.",
        correct=_delete_trail,
    ),
)
