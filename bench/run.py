"""Speed as ratios against baselines run side by side; never absolute limits. `make bench`.

Each pair is run in turn (A B A B …), so that a machine that gets slower slows both. Printed are medians.

    start-up    `toolkit --help` (aim: at most 8) and `--version` (aim: at most 3) against `python -c pass`
    rendering   100 environments against parsing their YAML alone
    planning    `toolkit plan` against `terraform plan -out` and `terraform show -json` by hand on the same tree: once
                with Terraform's environment the same on both sides, and once as each is by itself (with --plan)
    render1000  1,000 environments against an earlier commit (bench/rendering.py, with --render)
    many        the tables of docs/many-environments.md, with CPU time and memory (bench/many.py, by itself)
    discovery   a scan of 17 regions side by side against one list after the other (bench/discovery.py, with --scan)
    audit       an audit of 17 regions against one call after the other (bench/auditing.py, with --audit; with prowler
                beside it as that file says)
    access      who can do what, of 1,000 principals against one question (bench/access.py)
    page        the page of an audit of 50,000 findings in Chromium (bench/page.py, by itself)
    regions     a provider for each of 17 regions against one for all (bench/one_provider.py, by itself)
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from toolkit.environment import load_text
from toolkit.environment.source import parse
from toolkit.rendering.render import render
from toolkit.sandbox.control import Sandbox, child_environ
from toolkit.terraform.runner import LOCK_FILE
from toolkit.terraform.verified import packages

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON = sys.executable


def seconds(run: Callable[[], object]) -> float:
    """How long one run takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def versus(a: Callable[[], object], b: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Medians of A and B, and of the ratio A/B pair by pair, after one round that does not count."""
    pairs = [(seconds(a), seconds(b)) for _ in range(rounds + 1)][1:]
    return (
        statistics.median(x for x, _ in pairs),
        statistics.median(y for _, y in pairs),
        statistics.median(x / y for x, y in pairs),
    )


def process(*command: str, cwd: Path = REPOSITORY, environ: Mapping[str, str] | None = None) -> Callable[[], object]:
    """A command as something to time; it has to succeed."""
    return lambda: subprocess.run(command, cwd=cwd, env=environ, check=True, capture_output=True)


def show(name: str, result: tuple[float, float, float], against: str) -> None:
    """One line of the report."""
    print(f"{name:<44} {result[2]:6.2f} x  {against}  ({result[0] * 1000:.0f} against {result[1] * 1000:.0f} ms here)")


def start_up() -> None:
    """Help and version against a bare interpreter."""
    toolkit = str(Path(PYTHON).with_name("toolkit"))
    bare = process(PYTHON, "-c", "pass")
    show("toolkit --version", versus(process(toolkit, "--version"), bare, 15), "python -c pass")
    show("toolkit --help", versus(process(toolkit, "--help"), bare, 15), "python -c pass")


def rendering() -> None:
    """Rendering of many environments, in one process."""
    text = (REPOSITORY / "environments" / "production" / "environment.yaml").read_text("utf-8")
    count = 100

    def load_and_render() -> None:
        for number in range(count):
            render(load_text(text, name=f"e{number}", shown_as="x"))

    def only_parse() -> None:
        for _ in range(count):
            parse(text)

    show(f"load and render {count} environments", versus(load_and_render, only_parse, 3), "parsing their YAML")


SMALLEST = """\
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {}
  iam_groups: {}
  mfa_enforcement: {}
"""
"""Few things to ask AWS about, so that what the toolkit itself takes weighs most."""


def planning(what: str, environment: str) -> None:
    """A warm plan against Terraform by hand.

    Args:
        what: The environment, for people.
        environment: Its text, for the embedded AWS.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copytree(REPOSITORY / "modules", root / "modules", ignore=shutil.ignore_patterns(".terraform*"))
        folder = root / "environments" / "bench"
        folder.mkdir(parents=True)
        (folder / "environment.yaml").write_text(environment)
        others = ("AWS_", "TF_", "TOOLKIT_", "GOGC", "PYTHONDONTWRITEBYTECODE")
        plain = {k: v for k, v in os.environ.items() if not k.startswith(others)}

        def toolkit(*arguments: str, environ: Mapping[str, str] = plain) -> subprocess.CompletedProcess[bytes]:
            command = [PYTHON, "-m", "toolkit", "-C", str(root), *arguments]
            return subprocess.run(command, env=environ, check=True, capture_output=True)

        toolkit("sandbox", "up")
        try:
            toolkit("apply", "bench", "--auto-approve")
            sandbox = json.loads(toolkit("sandbox", "status", "--json").stdout)
            fields = {key: sandbox[key] for key in ("endpoint", "pid", "account_id", "started")}
            found = Sandbox(**fields, port=int(sandbox["endpoint"].rsplit(":", 1)[1]))
            hand = {
                **child_environ(found, plain, "eu-central-1"),
                "TF_DATA_DIR": str(folder / ".toolkit" / "terraform"),
                "CHECKPOINT_DISABLE": "1",
            }
            # What the toolkit chose for finding the provider, if it had to choose.
            chosen = folder / ".toolkit" / "terraform.rc"
            hand["TF_CLI_CONFIG_FILE"] = str(chosen) if chosen.exists() else os.devnull

            work, saved = folder / "rendered", str(folder / ".toolkit" / "hand.tfplan")

            def plan(environ: Mapping[str, str]) -> Callable[[], object]:
                return process("terraform", "plan", "-input=false", f"-out={saved}", cwd=work, environ=environ)

            def show_json(environ: Mapping[str, str]) -> Callable[[], object]:
                return process("terraform", "show", "-json", saved, cwd=work, environ=environ)

            def by_hand(environ: Mapping[str, str]) -> Callable[[], object]:
                return lambda: (plan(environ)(), show_json(environ)())

            def ours(environ: Mapping[str, str]) -> Callable[[], object]:
                return lambda: toolkit("plan", "bench", environ=environ)

            quick, quick_hand = {**plain, "GOGC": "400"}, {**hand, "GOGC": "400"}
            against = "terraform plan -out, show -json"
            print(f"{what}:")
            show("toolkit plan, as each is by itself", versus(ours(plain), by_hand(hand), 5), against)
            show("toolkit plan, GOGC=400 on both sides", versus(ours(quick), by_hand(quick_hand), 5), against)
            print("  its parts:")
            show("  terraform plan, GOGC=400", versus(plan(quick_hand), plan(hand), 3), "terraform plan by itself")
            found = packages(folder / ".toolkit" / "terraform", work / LOCK_FILE)
            assert found is not None
            bare = root / "bare"
            bare.mkdir()
            (bare / LOCK_FILE).write_text(found.lock_without_checksums)
            again = process("terraform", "show", "-json", saved, cwd=bare, environ=quick_hand)
            show(
                "  terraform show, so and not verified again",
                versus(again, show_json(hand), 3),
                "terraform show by itself",
            )
            show(
                "  Python and the imports before Terraform",
                versus(process(PYTHON, "-c", "import toolkit.cli.main, toolkit.workflows.plan, boto3"), again, 5),
                "that terraform show",
            )
        finally:
            toolkit("sandbox", "down")


if __name__ == "__main__":
    start_up()
    rendering()
    subprocess.run([PYTHON, Path(__file__).with_name("access.py")], check=True)
    if "--plan" in sys.argv[1:]:
        planning("the smallest environment", SMALLEST)
        readme = REPOSITORY / "environments" / "sandbox" / "environment.yaml"
        planning("the environment of the README's demo", readme.read_text("utf-8"))
    else:
        print("planning: with --plan (takes some minutes)")
    if "--render" in sys.argv[1:]:
        subprocess.run([PYTHON, Path(__file__).with_name("rendering.py")], check=True)
    else:
        print("render1000: with --render (takes some minutes)")
    if "--scan" in sys.argv[1:]:
        subprocess.run([PYTHON, Path(__file__).with_name("discovery.py")], check=True)
    else:
        print("discovery: with --scan (takes some minutes)")
    if "--audit" in sys.argv[1:]:
        subprocess.run([PYTHON, Path(__file__).with_name("auditing.py")], check=True)
    else:
        print("audit: with --audit (takes some minutes)")
