"""The JSON Schema of environment.yaml (draft 2020-12), from the same classes that check it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from toolkit.environment.shape import file_model

FILE_NAME = "environment.schema.json"
"""Its name in a project's environments/, where the editor modeline of every environment file points."""


def schema() -> dict[str, Any]:
    """The JSON Schema."""
    model = file_model()
    found = model.model_json_schema()
    components = found["$defs"]["Components"]["properties"]
    for block in components.values():
        # null is YAML's spelling of an empty block and goes without saying for people; editors must accept it.
        block.pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "environment.yaml of aws-baseline-toolkit",
    }


@cache
def schema_text() -> str:
    """The schema as it is written to a project: made once, which pydantic takes 0.3 seconds for."""
    return json.dumps(schema(), indent=2) + "\n"
