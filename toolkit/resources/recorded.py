"""The IAM actions that were recorded while Terraform and the toolkit worked on the embedded AWS.

In: recorded_actions.json, which names its source. Out: actions by Terraform type, and what each action is about. Pure.
`scripts/record_actions.py` records them; what no recording can show is in the types' records (`unrecorded`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

READS = ("List", "Read")
"""Access levels of actions that change nothing."""


@dataclass(frozen=True)
class Action:
    """One IAM action.

    Attributes:
        level: Its access level, as the Service Authorization Reference has it.
        on: Forms of the ARNs that it is about ("arn:${Partition}:s3:::${BucketName}"); "*": of no resource.
    """

    level: str
    on: tuple[str, ...]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.level in READS


@dataclass(frozen=True)
class Recorded:
    """What was recorded.

    Attributes:
        types: Terraform type → actions of its life, from its creation to its deletion.
        data: Actions of data sources, and of the provider by itself.
        toolkit: Actions of the toolkit itself.
        actions: Every action that a policy may have → what it is about.
        components: Component → types that its module makes.
        passed: Services that got a role of the account.
        linked: Services for which Terraform made a service-linked role.
    """

    types: Mapping[str, tuple[str, ...]]
    data: tuple[str, ...]
    toolkit: tuple[str, ...]
    actions: Mapping[str, Action]
    components: Mapping[str, tuple[str, ...]]
    passed: tuple[str, ...]
    linked: tuple[str, ...]


@cache
def recorded() -> Recorded:
    """The recording."""
    found = json.loads((Path(__file__).parent / "recorded_actions.json").read_text("utf-8"))
    return Recorded(
        {kind: tuple(actions) for kind, actions in found["types"].items()},
        tuple(found["data"]),
        tuple(found["toolkit"]),
        {
            name: Action(level, tuple(found["forms"][number] for number in on))
            for name, (level, on) in found["actions"].items()
        },
        {name: tuple(types) for name, types in found["components"].items()},
        tuple(found["passed"]),
        tuple(found["linked"]),
    )
