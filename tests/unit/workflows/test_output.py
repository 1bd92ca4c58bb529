"""What `toolkit output` says of a state without outputs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.errors import UsageError
from toolkit.workflows import output
from toolkit.workflows.observer import Observer

LEFT: dict[str, Any] = {
    "values": {
        "root_module": {
            "child_modules": [
                {
                    "resources": [
                        {"address": "module.b.aws_s3_bucket.logs", "mode": "managed"},
                        {"address": "module.b.data.aws_region.current", "mode": "data"},
                    ],
                    "child_modules": [{"resources": [{"address": "module.b.module.c.aws_x.y", "mode": "managed"}]}],
                }
            ]
        }
    }
}


def read(monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any], state: dict[str, Any], only: str | None = None):
    runner = SimpleNamespace(output=lambda: outputs, show=lambda _: state)
    monkeypatch.setattr(output, "open_workspace", lambda *_, **__: SimpleNamespace(runner=runner))
    return output.read_outputs(None, "prod", only, None, Observer())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"format_version": "1.0"}, "nothing is applied"),
        ({"values": {"root_module": {}}}, "nothing is applied"),
        (LEFT, "2 resources are left in the state: module.b.aws_s3_bucket.logs, module.b.module.c.aws_x.y"),
    ],
)
def test_nothing_is_applied_only_where_no_resource_is_left(
    state: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(monkeypatch, {}, state).none == expected
    with pytest.raises(UsageError) as caught:
        read(monkeypatch, {}, state, "config")
    assert expected in str(caught.value.hint)


def test_sensitive_values_stay_inside_and_one_output_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"a": {"value": 1}, "b": {"value": "secret", "sensitive": True}}
    assert read(monkeypatch, outputs, LEFT).values == {"a": 1, "b": "(sensitive value)"}
    assert read(monkeypatch, outputs, LEFT, "a").values == {"a": 1}
