"""A provider for each region against one provider for all: `bench/one_provider.py [--modules]`, in some minutes.

`config` and `guardduty` in 17 regions. docs/architecture.md, "One provider for many regions", has the figures and the
decision.

    transform   what bench/region_arguments.py changes in modules/ and in the root module; formatted and valid; with
                --modules, every module passes its tests, too (some minutes more)
    plan        the same resources and values in both forms, by the schema of version 6
    moving      what Terraform plans for an environment that was applied in the old form: whose state has regions, whose
                state is of version 5, and where a region leaves in the same step
    processes   of Terraform's plan for an account that has nothing (the embedded AWS), their memory and CPU time. The
                real version 6 is not at hand: it is version 5.100, which has no `region`, so that the one provider
                plans everything for one region

Memory is the proportional set size: what processes share is counted once.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from replay import REGIONS

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import region_arguments  # noqa: E402

from tests.provider6 import provider as schema_provider  # noqa: E402
from toolkit.environment import load_text  # noqa: E402
from toolkit.rendering.render import render  # noqa: E402
from toolkit.sandbox import control  # noqa: E402
from toolkit.terraform.mirror import cli_config  # noqa: E402

HOME = "eu-central-1"
ROUNDS = 3
INTERVAL = 0.25
"""Seconds between two looks at the processes."""
IGNORED = shutil.ignore_patterns(".terraform*")


def environment(version: str, regions: tuple[str, ...] = REGIONS) -> str:
    """An environment.yaml."""
    return f"""\
account_id: "123456789012"
regions: {{home: {HOME}, active: [{", ".join(regions)}]}}
simulator: moto
terraform: {{aws_provider_version: "{version}"}}
components:
  config: {{}}
  guardduty: {{notifications: {{email_addresses: [security@example.com]}}}}
"""


@dataclass(frozen=True)
class Terraform:
    """How Terraform is called."""

    environ: Mapping[str, str]

    def __call__(self, folder: Path, *arguments: str, fails: bool = False) -> str:
        command = ["terraform", *arguments]
        done = subprocess.run(command, cwd=folder, env=self.environ, check=False, capture_output=True, text=True)
        if (done.returncode != 0) != fails:
            raise SystemExit(f"{' '.join(command)} in {folder}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def planned(self, folder: Path) -> dict[str, Any]:
        """Make a plan."""
        self(folder, "init", "-input=false", "-no-color")
        self(folder, "plan", "-input=false", "-out=saved")
        found: dict[str, Any] = json.loads(self(folder, "show", "-json", "saved"))
        return found


def rendered(version: str, regions: tuple[str, ...] = REGIONS) -> dict[str, str]:
    """The root module as the toolkit renders it."""
    return dict(render(load_text(environment(version, regions), name="bench", shown_as="bench")))


@dataclass(frozen=True)
class Forms:
    """Both forms of the environment, in folders of a project."""

    project: Path
    modules: Path
    """The rewritten ones."""
    taking: frozenset[Path]
    """Those of them that have the variable."""

    @classmethod
    def of(cls, project: Path) -> Forms:
        """With modules/ rewritten."""
        modules = project / "rewritten" / "modules"
        shutil.copytree(REPOSITORY / "modules", modules, ignore=IGNORED)
        return cls(project, modules, region_arguments.modules(modules, schema_provider.schema()))

    def root(self, tree: Mapping[str, str]) -> dict[str, str]:
        """A rendered root module in the form with one provider."""
        # Beside the rewritten modules, calls lead to them as they do in a project.
        beside = self.modules.parent / "environments" / "bench" / "rendered"
        return region_arguments.root(tree, HOME, beside, self.taking)

    def aliases(self, name: str, tree: Mapping[str, str]) -> Path:
        """Lay out a root module as the toolkit does."""
        return self._written(name, tree, REPOSITORY / "modules")

    def one(self, name: str, tree: Mapping[str, str]) -> Path:
        """The same with one provider."""
        return self._written(name, self.root(tree), self.modules)

    def _written(self, name: str, tree: Mapping[str, str], modules: Path) -> Path:
        folder = self.project / name / "environments" / "bench" / "rendered"
        folder.mkdir(parents=True)
        for file, text in tree.items():
            (folder / file).write_text(text, "utf-8")
        shutil.copytree(modules, self.project / name / "modules", ignore=IGNORED)
        return folder


def transform(forms: Forms, run: Terraform) -> None:
    """Print what the transform changes, and fail unless all of it is formatted and valid."""
    run(forms.modules, "fmt", "-check", "-recursive")
    files = [file.relative_to(forms.modules) for file in forms.modules.rglob("*.tf")]
    folders = sorted({(forms.modules / file).parent for file in files})
    new, gone, size = 0, 0, 0
    for file in files:
        before = (REPOSITORY / "modules" / file).read_text("utf-8")
        counts = region_arguments.changed_lines(before, (forms.modules / file).read_text("utf-8"))
        new, gone, size = new + counts[0], gone + counts[1], size + before.count("\n")
    print(f"transform: {new} lines new and {gone} gone of {size:,} in {len(folders)} modules,")
    print(f"  {len(forms.taking)} of which get the variable; terraform fmt changes nothing")
    tree = rendered("~> 6.0")
    for what, one in (("aliases", tree), ("one provider", forms.root(tree))):
        lines = sum(text.count("\n") for text in one.values())
        blocks = one["providers.tf"].count('provider "aws"')
        print(f"  root module with {what}: {lines:,} lines, {blocks} provider blocks")
    if "--modules" in sys.argv[1:]:
        outcomes: Counter[str] = Counter()
        for folder in folders:
            run(folder, "init", "-backend=false", "-input=false")
            summary = run(folder, "test", "-no-color").strip().splitlines()[-1]
            outcomes.update({word: int(number) for number, word in re.findall(r"(\d+) (passed|failed)", summary)})
        print(f"  terraform test in each, by the schema: {dict(outcomes)}")


def changes(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Address of each resource → its change."""
    return {c["address"]: c["change"] for c in plan["resource_changes"] if c["mode"] == "managed"}


def actions(plan: Mapping[str, Any]) -> str:
    """How many resources of each action."""
    counted = Counter("/".join(change["actions"]) for change in changes(plan).values())
    return ", ".join(f"{count} {action}" for action, count in counted.most_common())


def moving(forms: Forms, run: Terraform) -> None:
    """Print what is planned for a new account, and on the state of an account that has the form with aliases."""
    tree = rendered("~> 6.0")
    old, new = forms.aliases("moving-aliases", tree), forms.one("moving-one", tree)
    plans = run.planned(old), run.planned(new)
    both = [{a: (c["actions"], c["after"]) for a, c in changes(plan).items()} for plan in plans]
    same = "the same with one provider" if both[0] == both[1] else "others with one provider"
    print(f"plan, by the schema: {actions(plans[0])} with aliases; addresses and values are {same}")
    run(old, "apply", "saved")

    def on(what: str, folder: Path, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Print what is planned on a state, apply it, and return the state after it."""
        file = folder.parent / "terraform.tfstate"
        file.write_text(json.dumps(recorded), "utf-8")
        print(f"  {what}: {actions(run.planned(folder))}")
        run(folder, "apply", "saved")
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found

    six = json.loads((old.parent / "terraform.tfstate").read_text("utf-8"))
    five = copy.deepcopy(six)
    for instance in _instances(five):
        instance["attributes"].pop("region", None)
    print("moving, what is planned on a state of the form with aliases:")
    on("one provider, on a state of version 5", new, five)
    upgraded = on("aliases with version 6, on a state of version 5", old, five)
    regions = [sum("region" in i["attributes"] for i in _instances(state)) for state in (five, upgraded)]
    print(f"    applied, {regions[1]} resources have a region in the state, {regions[0]} before")
    moved = on("then one provider", new, upgraded)
    less = rendered("~> 6.0", tuple(region for region in REGIONS if region != "us-west-2"))
    dropped = forms.one("moving-less", less)
    on("then without us-west-2", dropped, moved)
    (dropped.parent / "terraform.tfstate").write_text(json.dumps(upgraded), "utf-8")
    said = run(dropped, "plan", "-input=false", "-no-color", fails=True)
    errors = Counter(re.findall(r"Error: (.*)", said))
    print(f"  one provider and without us-west-2 in one step: {dict(errors)}, such as")
    print("\n".join(f"    {line}" for line in said[said.index("Error: ") :].splitlines()[:8]))


def _instances(state: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Of every resource in a state."""
    for resource in state["resources"]:
        if resource["mode"] == "managed":
            yield from resource["instances"]


@dataclass
class Peak:
    """Of one run: the most that was there at one time."""

    processes: int = 0
    memory: float = 0
    """MiB of the providers together."""
    each: float = 0
    """MiB of the largest of them."""
    terraform: float = 0
    cpu: float = 0
    """Seconds of all processes."""
    seconds: float = 0


def _providers(session: int) -> Iterator[tuple[str, int]]:
    """Names and ids of the processes of a session."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[3]) == session:
                yield command, int(entry.name)


def _memory(pid: int) -> float:
    """Proportional set size in MiB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss: +(\d+) kB", text, re.M)
    return int(found[1]) / 1024 if found else 0


def watched(folder: Path, environ: Mapping[str, str], program: str) -> Peak:
    """A plan whose processes are looked at while it runs.

    Args:
        folder: The root module.
        environ: Terraform's environment.
        program: What the command line of a provider has.
    """
    peak = Peak()
    began = time.perf_counter()
    command = ["terraform", "plan", "-input=false", "-out=saved"]
    running = subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    while True:
        pid, status, usage = os.wait4(running.pid, os.WNOHANG)
        if pid:
            break
        found = list(_providers(running.pid))
        sizes = [_memory(pid) for command, pid in found if program in command]
        peak.processes = max(peak.processes, len(sizes))
        peak.memory = max(peak.memory, sum(sizes))
        peak.each = max(peak.each, *sizes, 0)
        peak.terraform = max(peak.terraform, _memory(running.pid))
        time.sleep(INTERVAL)
    running.returncode = os.waitstatus_to_exitcode(status)
    assert running.stderr is not None
    said = running.stderr.read().decode()
    running.stderr.close()
    if running.returncode:
        raise SystemExit(said)
    peak.cpu, peak.seconds = usage.ru_utime + usage.ru_stime, time.perf_counter() - began
    return peak


def compared(what: str, runs: Mapping[str, Callable[[], Peak]]) -> None:
    """Print medians of runs in turn, and the ratios of the first to the second of each two."""
    peaks: dict[str, list[Peak]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            peaks[name].append(run())
    print(f"{what}, medians of {ROUNDS} rounds in turn:")
    for name, found in peaks.items():
        middle = {field: statistics.median(getattr(p, field) for p in found) for field in vars(Peak())}
        print(
            f"  {name:<22} {middle['processes']:3.0f} providers, {middle['memory']:6,.0f} MiB "
            f"({middle['each']:,.0f} the largest), terraform {middle['terraform']:,.0f} MiB, "
            f"{middle['cpu']:.1f} s of CPU time, {middle['seconds']:.1f} s here"
        )
    names = list(peaks)
    for one, other in zip(names[::2], names[1::2], strict=True):
        pairs = list(zip(peaks[one], peaks[other], strict=True))
        ratios = (
            statistics.median(getattr(a, f) / getattr(b, f) for a, b in pairs) for f in ("memory", "cpu", "seconds")
        )
        print("  {} / {}: {:.1f} x memory, {:.1f} x CPU time, {:.1f} x time".format(one, other, *ratios))


def processes(forms: Forms, run: Terraform, plain: Mapping[str, str]) -> None:
    """Print what runs during a plan."""
    tree = rendered("~> 6.0")
    six = {"aliases": forms.aliases("six-aliases", tree), "one provider": forms.one("six-one", tree)}
    for folder in six.values():
        run(folder, "init", "-input=false")
    runs = {name: partial(watched, folder, run.environ, "provider.py") for name, folder in six.items()}
    compared("processes, provider of version 6's schema (it is Python: memory and time say nothing)", runs)
    tree = rendered("~> 5.100")
    # Version 5 has no `region`: what is left out is the choice of a region, not a resource.
    single = {name: region_arguments.without_providers(text) for name, text in tree.items()}
    five = {"aliases": forms.aliases("five-aliases", tree), "one provider": forms.aliases("five-one", single)}
    sandbox = control.up(forms.project / "sandbox", owner=os.getpid())
    try:
        (forms.project / "cli5").mkdir()
        environ = control.child_environ(sandbox, plain, HOME) | cli_config(None, plain, forms.project / "cli5")
        for folder in five.values():
            Terraform(environ)(folder, "init", "-input=false")
        runs = {
            f"{name}{what}": partial(watched, folder, {**environ, **more}, "terraform-provider-aws")
            for what, more in (("", {}), (", GOGC=400", {"GOGC": "400"}))
            for name, folder in five.items()
        }
        compared("processes, provider 5.100 (GOGC=400 is what the toolkit sets)", runs)
    finally:
        control.down(forms.project / "sandbox")


def main() -> None:
    """Print everything."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_")) and k != "GOGC"}
    plain |= {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        mirror = schema_provider.mirror(project / "mirror")
        (project / "cli").mkdir()
        run = Terraform(plain | cli_config(mirror, plain, project / "cli"))
        forms = Forms.of(project)
        transform(forms, run)
        moving(forms, run)
        processes(forms, run, plain)


if __name__ == "__main__":
    main()
