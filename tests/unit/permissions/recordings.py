"""What was recorded (`scripts/record_actions.py`), as requests that toolkit.iam judges."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from toolkit.environment import Environment, load_text
from toolkit.iam import Policies, PolicyDocument, Request, Result, evaluate
from toolkit.permissions.documents import policies
from toolkit.permissions.model import Document, Holder, Purpose
from toolkit.permissions.statements import own_tag
from toolkit.resources.recorded import recorded

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from recorded_changes import changes  # noqa: E402

REQUESTS: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
    (Path(__file__).parent / "requests.json").read_text("utf-8")
)
"""Environment → purpose → action → "RESOURCE REGION KEY=VALUE …"; for a read "* *", since reads know no resource."""
TAGGED = ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
"""Requests whose key has the environment's tags."""


def data_of(name: str) -> dict[str, Any]:
    """A shipped environment, with its state where the recording had it: in its own account."""
    data: dict[str, Any] = yaml.safe_load((ROOT / "environments" / name / "environment.yaml").read_text("utf-8"))
    data.pop("credentials", None)
    if data["backend"]["type"] == "s3":
        data["backend"] = {"type": "s3", **{key: data["backend"][key] for key in ("bucket", "region")}}
        # The recording's environment is called so.
        data["backend"]["key"] = "simulated/baseline.tfstate"
    return data


def load(name: str, data: dict[str, Any]) -> Environment:
    """An environment of such data."""
    return load_text(yaml.safe_dump(data, sort_keys=False), name=name, shown_as=f"{name}.yaml")


@cache
def environments(name: str) -> tuple[Environment, ...]:
    """A shipped environment, and as it was changed while it was recorded."""
    data = data_of(name)
    return (load(name, data), *(load(name, changed) for changed in changes(data)))


@cache
def documents(name: str, purpose: Purpose) -> tuple[Document, ...]:
    """The policies of an environment and of what it was changed to."""
    environment, *others = environments(name)
    return policies(environment, purpose, also=tuple(others))


def parsed(found: tuple[Document, ...], holder: Holder = Holder.WORKER) -> tuple[PolicyDocument, ...]:
    """The policies of one principal, as the evaluator takes them."""
    return tuple(PolicyDocument.parse(one.content, name=one.name) for one in found if one.holder is holder)


def request(environment: Environment, action: str, text: str) -> Request:
    """A recorded request, made by a session of a role of the account."""
    resource, region, *context = text.split(" ")
    keys = {"aws:RequestedRegion": region, **dict(pair.split("=", 1) for pair in context)}
    if action in TAGGED and (key := own_tag(environment)) is not None:
        keys[f"aws:ResourceTag/{key}"] = environment.default_tags[key]
    who = f"arn:aws:sts::{environment.account_id}:assumed-role/pipeline/run"
    return Request(who, action, resource, keys, resource_account=environment.account_id)


def requests(name: str, purpose: Purpose) -> Iterator[tuple[str, Request]]:
    """Every recorded request of a purpose, with what it was."""
    environment = environments(name)[0]
    for action, texts in REQUESTS[name].get(purpose.value, {}).items():
        for text in texts:
            yield f"{action} {text}", request(environment, action, text)


def is_allowed(asked: Request, by: tuple[PolicyDocument, ...]) -> bool:
    """Whether AWS would allow it."""
    return evaluate(asked, Policies(identity=by)).allowed


@cache
def decided(name: str, asked: Purpose, by: Purpose) -> dict[str, tuple[str, ...]]:
    """Every recorded request of a purpose → Sids of the statements of another's policies that allow it."""
    policy = parsed(documents(name, by))
    return {text: _sids(evaluate(one, Policies(identity=policy))) for text, one in requests(name, asked)}


def _sids(result: Result) -> tuple[str, ...]:
    return tuple(str(match.statement.sid) for match in result.deciding) if result.allowed else ()


def is_recorded(action: str) -> bool:
    """Whether an action was seen at all."""
    known = recorded()
    return any(action in actions for actions in (*known.types.values(), known.data, known.toolkit))
