"""AWS Config, corrected."""

from __future__ import annotations

from typing import Any

from moto.config.models import ConfigBackend

from toolkit.sandbox.patches.base import Method, Patch


def _put_recorder(original: Method) -> Method:
    def put_configuration_recorder(self: ConfigBackend, config_recorder: dict[str, Any]) -> None:
        recorder = dict(config_recorder)
        group = recorder.get("recordingGroup")
        if group:
            # moto answers what it was sent plus empty members, and refuses those very members when they come back.
            empty: tuple[Any, ...] = ({}, [], None, {"resourceTypes": []}, {"resourceTypes": None})
            recorder["recordingGroup"] = {key: value for key, value in group.items() if value not in empty}
        original(self, recorder)
        # AWS always answers a mode: without one in the request, continuous recording.
        mode = recorder.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"}
        self.recorders[recorder["name"]].recording_mode = mode  # type: ignore[attr-defined]

    return put_configuration_recorder


PATCHES = (
    Patch(
        name="config-recorder-update",
        owner=ConfigBackend,
        method="put_configuration_recorder",
        reason="moto refuses the empty exclusionByResourceTypes and resourceTypes that it answered itself, so no "
        "recorder can be updated in place; it forgets recordingMode. Config API, PutConfigurationRecorder: the call "
        "updates an existing recorder; ConfigurationRecorder.recordingMode is part of the answer.",
        correct=_put_recorder,
    ),
)
