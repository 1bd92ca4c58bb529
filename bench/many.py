"""The tables of docs/many-environments.md as Markdown: `make bench-many`, about ten minutes on two free cores.

    python bench/many.py                  all parts, in this order
    python bench/many.py plan fleet       some of them
    python bench/many.py --quick          one pair of each, and few environments: whether it runs, not how fast

    plan      `toolkit plan`, nothing to change, against `terraform plan -out` and `terraform show -json`;
              1 region and 17
    fleet     `toolkit plan --all` of 8 environments against a shell loop over these two commands, and against
              `xargs -P`, which runs as many loops at once as there are processors
    render    1,000 environments against an earlier commit (bench/rendering.py)

All sides are run in turn (A B C A B C …), after runs that do not count. Printed are medians of the ratios round by
round, the lowest and the highest. A ratio of elapsed time is how many times faster the toolkit is; one of CPU time is
the toolkit's share of the other side's. GOGC "400" is what the toolkit sets, on both sides; "as shipped" leaves the
other side Terraform's own default. Memory is the proportional set size at its peak, in a run that is not timed.

The account is on the embedded AWS, whose own time counts on no side.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import rendering
from replay import HOME, REGIONS
from timed import Memory, Ratio, Run, cpu, in_turn, ratio, timed, wall

from toolkit.sandbox import control
from toolkit.workflows.capacity import PLAN_MB, PLAN_REGION_MB, processors

PLAIN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AWS_", "TF_", "TOOLKIT_")) and name not in ("GOGC", "PYTHONDONTWRITEBYTECODE")
}
QUICK = {"GOGC": "400"}
"""What the toolkit sets (toolkit.terraform.runner)."""
FLEET = 8
"""Environments of the fleet."""

_HEAD = """\
account_id: "{account}"
regions: {{home: {home}, active: [{regions}]}}
simulator: moto
components:
"""
SMALL = "  password_policy: {}\n  iam_groups: {}\n  mfa_enforcement: {}\n"
"""Few resources, so that what the toolkit itself takes weighs most."""
REGIONAL = SMALL + "  account_defaults: {}\n  guardduty: {}\n"


def environment(account: str = "123456789012", regions: tuple[str, ...] = (HOME,), components: str = SMALL) -> str:
    """An environment.yaml."""
    return _HEAD.format(account=account, home=HOME, regions=", ".join(regions)) + components


@dataclass
class Project:
    """A project whose environments are applied on the embedded AWS of its own."""

    root: Path
    sandbox: control.Sandbox
    accounts: Mapping[str, str]
    """Environment → its account."""

    def toolkit(self, *arguments: str, environ: Mapping[str, str] = PLAIN) -> Run:
        """Run a command of the toolkit."""
        return timed(sys.executable, "-m", "toolkit", "-C", str(self.root), *arguments, cwd=self.root, environ=environ)

    def by_hand(self, name: str) -> dict[str, str]:
        """Terraform's environment for one of the environments, as the toolkit sets it, without GOGC."""
        scratch = self.root / "environments" / name / ".toolkit"
        chosen = scratch / "terraform.rc"  # what the toolkit chose for finding the provider, if it had to choose
        return {
            **control.child_environ(self.sandbox, PLAIN, HOME, self.accounts[name]),
            "TF_DATA_DIR": str(scratch / "terraform"),
            "TF_CLI_CONFIG_FILE": str(chosen) if chosen.exists() else os.devnull,
            "CHECKPOINT_DISABLE": "1",
        }

    def terraform(self, name: str, more: Mapping[str, str]) -> Run:
        """`terraform plan -out` and `terraform show -json` of one environment."""
        work, environ = self.root / "environments" / name / "rendered", {**self.by_hand(name), **more}
        saved = work.parent / ".toolkit" / "by-hand.tfplan"
        made = timed("terraform", "plan", "-input=false", f"-out={saved}", cwd=work, environ=environ)
        shown = saved.with_suffix(".json")
        return made + timed("terraform", "show", "-json", str(saved), cwd=work, environ=environ, out=shown)

    def loop(self, more: Mapping[str, str], at_once: int = 1) -> Run:
        """A shell loop over the two commands, or several at once, each of which takes the next environment.

        Everything is prepared before it is timed: a script for each environment, which sets its variables.
        """
        for name in self.accounts:
            folder = self.root / "environments" / name
            saved = folder / ".toolkit" / "by-hand.tfplan"
            words = {**self.by_hand(name), **more}
            exports = "".join(
                f"export {key}={shlex.quote(value)}\n" for key, value in words.items() if key.isidentifier()
            )
            (folder / "by-hand.sh").write_text(
                f"set -e\n{exports}cd {shlex.quote(str(folder / 'rendered'))}\n"
                f"terraform plan -input=false -out={saved}\nterraform show -json {saved} > {saved}.json\n",
                "utf-8",
            )
        one = "for script in environments/*/by-hand.sh; do sh $script || exit 1; done"
        several = f"ls environments/*/by-hand.sh | xargs -n 1 -P {at_once} sh"
        return timed("sh", "-c", one if at_once == 1 else several, cwd=self.root, environ=PLAIN)


@contextmanager
def project(environments: Mapping[str, str], accounts: Mapping[str, str]) -> Iterator[Project]:
    """A project with these environments, applied.

    Args:
        environments: Name → environment.yaml.
        accounts: Name → account.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copytree(
            rendering.REPOSITORY / "modules", root / "modules", ignore=shutil.ignore_patterns(".terraform*")
        )
        for one, text in environments.items():
            (root / "environments" / one).mkdir(parents=True)
            (root / "environments" / one / "environment.yaml").write_text(text, "utf-8")
        state = root / ".toolkit" / "sandbox"
        running = None
        try:
            for account in dict.fromkeys(accounts.values()):
                running = control.up(state, account_id=account, owner=os.getpid())
            assert running is not None
            found = Project(root, running, accounts)
            found.toolkit("apply", *environments, "--auto-approve")
            yield found
        finally:
            control.down(state)


def _table(title: str, *head: str) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}", flush=True)


def _row(*cells: object) -> None:
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def _both(found: Mapping[str, list[Run]], side: str) -> tuple[str, str]:
    """Elapsed time as how many times faster, CPU time as a share."""
    pairs = list(zip(found["ours"], found[side], strict=True))
    return f"{ratio(pairs, wall, faster=True)}", f"{ratio(pairs, cpu)}"


def _memory(run: Callable[[], object], budget: int) -> str:
    with Memory() as memory:
        run()
    return f"{memory.peak:,} of {budget:,} MB"


def plan(few: int, more: int, regions: tuple[str, ...]) -> None:
    """`toolkit plan` where nothing is to be changed.

    Args:
        few: Rounds with many regions.
        more: Rounds with one.
        regions: The many.
    """
    _table(
        "`toolkit plan ENV` against `terraform plan -out` and `terraform show -json`, nothing to change:",
        "Environment", "GOGC", "times faster", "CPU time, as a share", "memory, of the budget",
    )  # fmt: skip
    account = "123456789012"
    for what, active, components, rounds in (
        ("1 region", (HOME,), SMALL, more),
        (f"{len(regions)} regions", regions, REGIONAL, few),
    ):
        with project({"bench": environment(account, active, components)}, {"bench": account}) as one:
            ours, theirs = partial(one.toolkit, "plan", "bench"), partial(one.terraform, "bench")
            memory = _memory(ours, PLAN_MB + PLAN_REGION_MB * (len(active) - 1))
            theirs(QUICK)
            found = in_turn(rounds, ours=ours, same=partial(theirs, QUICK), shipped=partial(theirs, {}))
        _row(what, "400", *_both(found, "same"), memory)
        _row(what, "as shipped", *_both(found, "shipped"), "")


def fleet(rounds: int, count: int) -> None:
    """`toolkit plan --all`."""
    accounts = {f"account-{number}": f"{111_122_223_330 + number}" for number in range(count)}
    at_once = processors()
    _table(
        f"`toolkit plan --all`, {count} environments with 1 region, nothing to change, {at_once} processors:",
        "Against", "GOGC", "times faster", "CPU time, as a share", "memory, of the budget",
    )  # fmt: skip
    with project({name: environment(account) for name, account in accounts.items()}, accounts) as every:
        ours = partial(every.toolkit, "plan", "--all")
        memory = _memory(ours, at_once * PLAN_MB)
        found = in_turn(
            rounds,
            ours=ours,
            same=partial(every.loop, QUICK),
            at_once=partial(every.loop, QUICK, at_once),
            shipped=partial(every.loop, {}),
        )
    _row("a shell loop", "400", *_both(found, "same"), memory)
    _row(f"`xargs -P {at_once}`", "400", *_both(found, "at_once"), "")
    _row("a shell loop", "as shipped", *_both(found, "shipped"), "")


def render(rounds: int, count: int) -> None:
    """`toolkit render`."""
    _table(
        f"{count:,} environments, against commit {rendering.BEFORE} (`bench/rendering.py`):",
        "Command", "times faster", "times less CPU time",
    )  # fmt: skip
    names = {
        "check_with_nothing_proven": "`toolkit render --check`, nothing proven before",
        "check_with_all_proven": "`toolkit render --check`, all proven unchanged",
        "render_of_one": "`toolkit render` of one environment",
        "render_from_nothing": "`toolkit render`, nothing rendered before",
    }
    for name, pairs in rendering.compared(rendering.BEFORE, count, rounds):
        found: list[Ratio] = [ratio(pairs, of, faster=True) for of in (wall, cpu)]
        _row(names[name], *found)


def main() -> None:
    """Print what is wanted."""
    quick = "--quick" in sys.argv[1:]
    parts = {
        "plan": partial(plan, *((1, 1, (HOME, "us-east-1")) if quick else (2, 3, REGIONS))),
        "fleet": partial(fleet, *((1, 2) if quick else (2, FLEET))),
        "render": partial(render, *((1, 16) if quick else (3, 1000))),
    }
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or list(parts)
    if unknown := set(wanted) - set(parts):
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    version = json.loads(subprocess.run(["terraform", "version", "-json"], check=True, capture_output=True).stdout)
    load = os.getloadavg()[0]
    print(
        f"Terraform {version['terraform_version']}, Python {platform.python_version()}, {processors()} processors, "
        f"load {load:.1f} before",
        flush=True,
    )
    for name in wanted:
        parts[name]()


if __name__ == "__main__":
    main()
