"""Records what Terraform plans with the schema of version 6: `python tests/provider6/record.py [NAME…]`, by hand.

In: the environments whose plans with version 5.100 are recorded (tests/plans), and the schema provider. Out:
`plans/NAME.json.xz`, on which test_verdicts.py judges without running Terraform. Of each of tests/plans/components,
four plans of one account: `created`; `changed`, where every declared attribute was stronger in the state; `replaced`,
the same with all of it forced; `destroyed`. Of tests/plans/reports, `later`: from the first environment to the later.
"""

from __future__ import annotations

import copy
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.provider6 import provider
from toolkit.addresses import AttributePath, value_at
from toolkit.resources.base import ResourceType, Strength, Stronger
from toolkit.resources.registry import RESOURCES
from toolkit.terraform.mirror import cli_config

REPOSITORY = Path(__file__).parents[2]
PLANS = REPOSITORY / "tests" / "plans"
FOLDER = Path(__file__).with_name("plans")
LATER = "later"
ACCEPTED = "~> 6.0"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DENY = {"Sid": "Before", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}

State = dict[str, Any]


def names() -> list[str]:
    """Every recording that there is to be."""
    return sorted([LATER, *(file.stem for file in (PLANS / "components").glob("*.yaml"))])


def read(name: str) -> dict[str, Any]:
    """A recording: what was planned → the plan's JSON."""
    found: dict[str, Any] = json.loads(lzma.decompress((FOLDER / f"{name}.json.xz").read_bytes()))
    return found


class Root:
    """One environment's root module, with the schema provider and a local state."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.project = folder / "project"
        self.environ = dict(environ)
        self.rendered = self.project / "environments" / "recorded" / "rendered"
        ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*")
        shutil.copytree(REPOSITORY / "modules", self.project / "modules", ignore=ignored)
        self.state = folder / "terraform.tfstate"

    def render(self, text: str) -> None:
        """Write and render environment.yaml."""
        data = yaml.safe_load(text)
        data.setdefault("terraform", {})["aws_provider_version"] = ACCEPTED
        self.rendered.parent.mkdir(parents=True, exist_ok=True)
        (self.rendered.parent / "environment.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        self._run(sys.executable, "-m", "toolkit", "-C", str(self.project), "render", cwd=REPOSITORY)
        (self.rendered / "backend.tf").unlink()
        self.terraform("init", "-input=false")

    def plan(self, *arguments: str) -> dict[str, Any]:
        """What judging reads of a plan of the state."""
        self.terraform("plan", "-input=false", "-out=plan", f"-state={self.state}", *arguments)
        whole = json.loads(self.terraform("show", "-json", "plan"))
        kept = {key: whole.get(key, {}) for key in ("format_version", "terraform_version", "output_changes")}
        changes = [e for e in whole["resource_changes"] if e["mode"] == "managed"]
        for entry in changes:
            del entry["provider_name"]
        return kept | {"resource_changes": changes}

    def apply(self) -> None:
        """Apply the last plan."""
        self.terraform("apply", "-input=false", f"-state-out={self.state}", "plan")

    def terraform(self, *arguments: str) -> str:
        """What a command of Terraform prints."""
        return self._run("terraform", *arguments, cwd=self.rendered)

    def _run(self, *command: str, cwd: Path) -> str:
        done = subprocess.run(command, cwd=cwd, env=self.environ, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout


def components(root: Root, text: str) -> dict[str, Any]:
    """The four plans of an environment."""
    root.render(text)
    found = {"created": root.plan()}
    root.apply()
    state = json.loads(root.state.read_text("utf-8"))
    root.state.write_text(json.dumps(stronger(state)), encoding="utf-8")
    found["changed"] = root.plan("-refresh=false")
    addresses = [entry["address"] for entry in found["changed"]["resource_changes"]]
    found["replaced"] = root.plan("-refresh=false", *(f"-replace={address}" for address in addresses))
    found["destroyed"] = root.plan("-refresh=false", "-destroy")
    return found


def later(root: Root) -> dict[str, Any]:
    """The plan from the first environment of tests/plans/reports to the later one."""
    root.render((PLANS / "reports" / "first.yaml").read_text("utf-8"))
    root.plan()
    root.apply()
    root.render((PLANS / "reports" / "later.yaml").read_text("utf-8"))
    return {LATER: root.plan()}


def stronger(state: State) -> State:
    """A state in which every attribute with a direction is stronger than in the given one, as far as it can be."""
    state = copy.deepcopy(state) | {"serial": state["serial"] + 1}
    for resource in state["resources"]:
        record = RESOURCES.get(resource["type"]) if resource["mode"] == "managed" else None
        for strength in record.strengths if record else ():
            for instance in resource["instances"]:
                strengthen(record, strength, instance["attributes"])
    return state


def strengthen(record: ResourceType | None, strength: Strength, values: dict[str, Any]) -> None:
    """Make one attribute stronger, wherever it is."""
    for steps in places(AttributePath.parse(strength.attribute).steps, values):
        holder = AttributePath(steps[:-1]).at(values)
        if isinstance(holder, dict) and steps[-1] in holder:
            holder[steps[-1]] = better(strength, holder[steps[-1]])


def places(steps: tuple[Any, ...], values: Any) -> Iterator[tuple[Any, ...]]:
    """The concrete paths of one with `[*]` in it."""
    every = next((i for i, step in enumerate(steps) if not isinstance(step, (str, int))), None)
    if every is None:
        yield steps
        return
    several = AttributePath(steps[:every]).at(values)
    for index in range(len(several or ())):
        yield from places((*steps[:every], index, *steps[every + 1 :]), values)


def better(strength: Strength, value: Any) -> Any:
    """A value on the stronger side of another one, or the same where none is known."""
    match strength.stronger:
        case Stronger.HIGHER if isinstance(value, int) and not isinstance(value, bool):
            return value + 10 if value else 0 if strength.unset_is_strongest else 10
        case Stronger.LOWER if isinstance(value, int) and value > 1:
            return value - 1
        case Stronger.TRUE | Stronger.FALSE if isinstance(value, bool):
            return strength.stronger is Stronger.TRUE
        case Stronger.PRESENT if value in (None, ""):
            return "was-set"
        case Stronger.ABSENT:
            return None
        case Stronger.SAME if isinstance(value, str) and value:
            return f"{value}-before"
        case Stronger.ORDER:
            return strength.order[-1]
        case Stronger.KEY if not value:
            return KEY
        case Stronger.SUPERSET if isinstance(value, list) and value and isinstance(value[0], str):
            return [*value, "one-more"]
        case Stronger.SUBSET if isinstance(value, list):
            return value[1:]
        case Stronger.POLICY | Stronger.CONTENT if isinstance(value, str) and value.startswith("{"):
            document = json.loads(value)
            if isinstance(document.get("Statement"), list):
                document["Statement"].append(DENY)
            return json.dumps(document | ({} if "Statement" in document else {"before": True}))
        case Stronger.KEPT if isinstance(value, list):
            return [rule for rule in value if not value_at(rule, "expiration[0].days")] or value
    return value


def record(name: str, folder: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Make one recording anew."""
    root = Root(folder, environ)
    if name == LATER:
        return later(root)
    files = PLANS / "components" / name
    if files.is_dir():
        shutil.copytree(files, root.rendered.parent / name)
    return components(root, (PLANS / "components" / f"{name}.yaml").read_text("utf-8"))


def environment(folder: Path) -> dict[str, str]:
    """For Terraform: no credentials, and no provider but the one with the schema."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
    plain |= {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    (folder / "mirror").mkdir()
    (folder / "cli").mkdir()
    return plain | cli_config(provider.mirror(folder / "mirror"), plain, folder / "cli")


def main() -> None:
    """Write the recordings that are named, or all."""
    with tempfile.TemporaryDirectory() as made:
        environ = environment(Path(made))
        FOLDER.mkdir(exist_ok=True)
        for name in sys.argv[1:] or names():
            (own := Path(made) / name).mkdir()
            text = json.dumps(record(name, own, environ), sort_keys=True, separators=(",", ":"))
            file = FOLDER / f"{name}.json.xz"
            file.write_bytes(lzma.compress(text.encode(), preset=9))
            sys.stdout.write(f"wrote: {file.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
