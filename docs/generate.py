"""Writes the parts of the documentation that can drift: `make docs`; `--check` only says what is out of date.

Pictures (pictures.py) are drawn where Chromium is; `--check` does not look at them.

Between the markers `<!-- BEGIN generated: NAME -->` and `<!-- END generated: NAME -->` everything comes from the code;
around them people write.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer
from pictures import draw
from pydantic import TypeAdapter

from toolkit.audit.model import Check
from toolkit.audit.registry import checks
from toolkit.cli.app import app
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import DEFAULT_FRAMEWORK, claims, frameworks, requirement_ids, requirements
from toolkit.documents import KINDS
from toolkit.environment import load_text
from toolkit.errors import ExitCode
from toolkit.findings import Source, rules
from toolkit.findings.data import Record
from toolkit.fleet.pipeline import Bundle, Nightly, Pipeline
from toolkit.plan.access_changes import shifts_of
from toolkit.plan.model import Attribution, parse_outcome, parse_plan
from toolkit.releases import KNOWN_BAD
from toolkit.rendering.render import render
from toolkit.reports import markdown
from toolkit.reports.view import PlanView
from toolkit.resources.base import Strength, Stronger
from toolkit.resources.registry import RESOURCES
from toolkit.sandbox import managed_policies
from toolkit.terraform.bundle import Manifest
from toolkit.variables import RULES
from toolkit.workflows.describe import settings_table
from toolkit.workflows.schema import FILE_NAME, schema_text

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}\n', re.M | re.S)
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{', re.M)

EXIT_CODES = {
    ExitCode.OK: "Success. For `plan`: also with changes, unless `--detailed-exitcode` is given.",
    ExitCode.ERROR: "An error: Terraform failed, a file is wrong, something could not be read or written. "
    "For `audit`: no such check failed, but one is unknown, or an account of the organization could not be read.",
    ExitCode.CHANGES: "Changes are pending (`plan --detailed-exitcode`), there is drift (`drift`), or a check "
    "of at least the severity of `--fail-on` failed, and not already in the `--baseline` (`audit`), or an answer is "
    "another one than `--expect` says (`explain`).",
    ExitCode.OUT_OF_DATE: "Rendered files differ from environment.yaml (`render --check`, `validate`, `--no-render`).",
    ExitCode.REFUSED: (
        "A guard refused: a finding without consent, an organization policy that is too large, one too many or "
        "locks out the caller, a bucket with objects that would stop a destroy, a destroy without a prompt that "
        "takes what the account had before the first apply (`--acknowledge-weaker`), an environment variable or a "
        "profile that could redirect Terraform, no approval, an older or a different state to restore, a release "
        "that is to be done (`release --done`) without a state, a snapshot that was edited, is too old, is dated "
        "in the future, or is of another account or other regions, a baseline of another account."
    ),
    ExitCode.WRONG_ACCOUNT: "No usable credentials, or credentials of another account.",
    ExitCode.LOCKED: "The state or the environment's folder is in use by another run, or a state that an earlier apply "
    "could not save must be restored first.",
    ExitCode.BAD_PLAN: "A saved plan that is missing, stale, expired, damaged, another environment's, unsigned or of "
    "another commit or run where that is demanded, or not encrypted with the given key; or files that were changed "
    "after it was made. An evidence pack that was changed, is "
    "damaged, or does not have the signature of the given key (`evidence verify`).",
    ExitCode.USAGE: "The command line is wrong (64, so that it is never confused with 2).",
    ExitCode.INTERRUPTED: "Interrupted by a signal; the message says what was done.",
}


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(cell(c) for c in line) + " |" for line in lines)


def cell(text: str) -> str:
    """Text that stays in its cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def components() -> str:
    """README's table of components."""
    rows = [
        (
            f"[`{c.name}`](modules/{c.name}/README.md)",
            c.scope.value,
            c.purpose,
            requirement_ids(tuple(dict.fromkeys(claim.topic for claim in claims(c.name)))) or "-",
            str(len(resource_types(ROOT / "modules" / c.name))),
            c.bills or "nothing",
            tried(c.name),
            checked(ROOT / "modules" / c.name),
        )
        for c in REGISTRY.values()
    ]
    headings = (
        "Component",
        "Scope",
        "What an account gets",
        "Can meet",
        "Types",
        "What starts to bill",
        "Tried",
        "Checked against AWS",
    )
    return (
        f"{table(headings, rows)}\n\n"
        "Types: how many resource types it uses. Tried: applied on the embedded AWS, where a second plan has nothing "
        "left but what is planned only, since moto lacks it. "
        "[environments/complete](environments/complete/environment.yaml) switches everything on: "
        f"{APPLIED['planned']} resources planned, {APPLIED['applied']} of them applied there "
        "(`tests/integration/test_complete.py`). Checked against AWS: the day on which the "
        "module was compared with AWS's documentation; its README lists each claim with its source. No module was ever "
        "run on AWS itself."
    )


AUDITED: list[str] = json.loads((ROOT / "tests" / "audited.json").read_text("utf-8"))
APPLIED: dict[str, Any] = json.loads((ROOT / "tests" / "applied.json").read_text("utf-8"))
"""What the tests applied, and planned empty afterwards."""


def resource_types(folder: Path) -> set[str]:
    """Every resource type of a module, its nested ones and the shared ones that it calls."""
    found: set[str] = set()
    for file in folder.rglob("*.tf"):
        text = file.read_text("utf-8")
        found |= {kind for kind, _ in _RESOURCE.findall(text)}
        for source in re.findall(r'source\s+= "((?:\.\./)+shared/\w+)"', text):
            found |= resource_types((file.parent / source).resolve())
    return found


_CHECKED = re.compile(r"^## Checked against AWS\n(.*?)(?=^## |^<!-- )", re.M | re.S)


def checked(folder: Path) -> str:
    """The oldest day on which a source was read for a module and those nested in it."""
    texts = [readme.read_text("utf-8") for readme in sorted(folder.rglob("README.md"))]
    days = [
        day
        for text in texts
        for part in _CHECKED.findall(text)
        for day in re.findall(r"\| (\d{4}-\d\d-\d\d) \|$", part, re.M)
    ]
    return min(days)


def tried(name: str) -> str:
    """How far a component was tried, from what the tests recorded."""
    types = resource_types(ROOT / "modules" / name)
    applied = set(APPLIED["types"].get(name, ()))
    if not applied:
        return "planned only"
    anywhere = {kind for kinds in APPLIED["types"].values() for kind in kinds}
    rest = sorted(types - applied - anywhere)
    return "applied" + (f"; planned only: {', '.join(f'`{kind}`' for kind in rest)}" if rest else "")


def settings() -> str:
    """Settings per component."""
    parts = []
    for component in REGISTRY.values():
        rows = [
            (f"`{name}`", kind, f"`{default}`" if default != "required" else "required", text)
            for name, kind, default, text in settings_table(component.name)
        ]
        body = table(("Setting", "Type", "Default", "Meaning"), rows)
        parts.append(f"## {component.name}\n\n{body}")
    return "\n\n".join(parts)


def profiles() -> str:
    """Table of what each profile makes, covers and costs, as the tests recorded it."""
    recorded = json.loads((ROOT / "tests" / "profiles.json").read_text("utf-8"))
    (framework,) = (f for f in frameworks() if f.name == DEFAULT_FRAMEWORK)
    every, called = len(requirements(framework)), framework.name.replace("cis-", "CIS ")
    rows = [
        (
            f"`{name}`",
            str(found["resources"]),
            f"{found['covered']} of {every}",
            f"{found['fixed_usd']:.2f} USD",
            str(found["billed_by_use"]),
        )
        for name, found in recorded.items()
    ]
    return table(("Profile", "Resources", f"{called} provisioned", "Fixed cost per month", "Items billed by use"), rows)


def excerpt() -> str:
    """An environment file's excerpt beside what is rendered from it."""
    folder = ROOT / "environments" / "production"
    source = (folder / "environment.yaml").read_text("utf-8")
    start = source.index("  cloudtrail:")
    text = source[start : source.index("  config:")]
    rendered = render(load_text(source, name="production", shown_as="production"))["cloudtrail.tf"].rstrip()
    name = "environments/production"
    return (
        f"From [{name}/environment.yaml]({name}/environment.yaml):\n\n```yaml\ncomponents:\n{text.rstrip()}\n```\n\n"
        f"becomes [{name}/rendered/cloudtrail.tf]({name}/rendered/cloudtrail.tf):\n\n```hcl\n{rendered}\n```"
    )


def audit_checks() -> str:
    """Table of the checks of an audit."""

    def controls(check: Check) -> str:
        named = [one.removeprefix("cis-") for one in check.requirements if one.startswith(("cis-5.0:", "cis-7.0:"))]
        return ", ".join(named) or "none"

    rows = [
        (f"`{one.id}`", one.severity.value, one.title, controls(one), "yes" if one.id in AUDITED else "no")
        for one in checks().values()
    ]
    seen = sum(one in AUDITED for one in checks())
    return (
        f"{len(rows)} checks. {seen} of them were seen to pass and to fail on the embedded AWS (last column), the "
        f"other {len(rows) - seen} on recorded answers alone.\n\n"
        + table(("Check", "Severity", "What passes", "CIS", "Embedded AWS"), rows)
    )


def pipeline_settings() -> str:
    """Settings of pipeline.yaml."""
    rows = []
    for prefix, model in (("", Pipeline), ("bundle.", Bundle), ("nightly.", Nightly)):
        for name, field in model.model_fields.items():
            if name in ("bundle", "nightly"):
                continue
            default = field.default
            shown = ", ".join(default) if isinstance(default, tuple) else json.dumps(default).strip('"')
            rows.append((f"`{prefix}{name}`", f"`{shown}`", field.description or ""))
    return table(("Setting", "Default", "Meaning"), rows)


def exit_codes() -> str:
    """Table of exit codes."""
    return table(("Code", "Meaning"), [(f"`{int(code)}`", EXIT_CODES[code]) for code in ExitCode])


def known_bad() -> str:
    """Table of Terraform releases with a known fault."""
    rows = [
        (
            ", ".join(bad.versions),
            bad.effect,
            "refused" if bad.refused else "named by `toolkit doctor`",
            bad.instead,
            f"[{'/'.join(bad.source.split('/')[3:5])}#{bad.source.rpartition('/')[2]}]({bad.source})",
        )
        for bad in KNOWN_BAD
    ]
    return table(("Terraform", "What it does", "What the toolkit does", "Install", "Source"), rows)


def variables() -> str:
    """What happens to environment variables, row by row of the table that decides."""
    fates = {
        "kept": "passed on",
        "dropped": "not passed on",
        "reported": "not passed on, and reported",
        "refused": "refused for a real account",
    }
    rows = [(", ".join(f"`{name}`" for name in rule.names), fates[rule.fate], rule.why) for rule in RULES]
    rows += [
        ("any other `TF_*` or `AWS_*`", fates["refused"], "it could lead Terraform elsewhere or change what it does")
    ]
    rows += [("any other", fates["dropped"], "nothing needs it")]
    return table(("Variables", "What happens", "Why"), rows)


def findings() -> str:
    """Table of what plans are judged for."""
    return table(
        ("Finding", "What it says", "Consent"),
        [(f"`{r.id}`", r.explanation, f"`{r.consent}`" if r.consent else "none") for r in rules(Source.PLAN)],
    )


def every_rule() -> str:
    """Each rule in full, by what produces its findings."""
    titles = {
        Source.PLAN: "Of plans (`plan`, `apply`, `show`)",
        Source.DRIFT: "Of drift (`drift`)",
        Source.CONTROLS: "Of requirements (`controls`)",
    }
    parts = []
    for source, title in titles.items():
        parts.append(f"## {title}")
        for rule in rules(source):
            facts = [
                f"- Severity: {rule.severity.value}",
                f"- Example: {rule.refused}",
                f"- Remediation: {rule.instead}",
                f"- Consent: {f'`{rule.consent}`' if rule.consent else 'none'}",
                f"- Waiver: {f'names {rule.waiver.value}' if rule.waiver else 'none'}",
            ]
            parts.append(f"### {rule.id}\n\n{rule.explanation}\n\n" + "\n".join(facts))
    return "\n\n".join(parts)


def pull_request() -> str:
    """The comment of a recorded plan (tests/plans/pull_request), as reports make it now."""
    recorded = ROOT / "tests" / "plans" / "pull_request"
    manifest = Manifest(**json.loads((recorded / "manifest.json").read_text("utf-8")))
    data = json.loads((recorded / "plan.json").read_text("utf-8"))
    attribution = Attribution(tuple(REGISTRY), (manifest.region,), manifest.region)
    records = TypeAdapter(tuple[Record, ...]).validate_json((recorded / "findings.json").read_bytes())
    plan = parse_plan(data, attribution)
    access = shifts_of(
        plan,
        parse_outcome(data, attribution),
        account_id=manifest.account_id,
        partition="aws",
        home=manifest.region,
        texts=managed_policies.text,
    ).changes
    found = tuple(one.finding for one in records)
    return "\n" + markdown.render(PlanView(plan, manifest, Path("plan.tfbundle"), found, access=access)).rstrip()


def json_documents() -> str:
    """Table of what is printed as JSON."""
    rows = [
        (f"`{name}`", str(kind.version), ", ".join(f"`toolkit {command}`" for command in kind.printed_by) or _FAILURES)
        for name, kind in KINDS.items()
    ]
    return table(("`kind`", "`schema_version`", "Printed by"), rows)


_FAILURES = "any command with `--json` that fails before it has printed its result"


def guarded() -> str:
    """Which attributes of each type have a weaker side, and in which components the type is protected."""
    rows = []
    # A record without either is of a type that is read alone.
    judged = (record for record in RESOURCES.values() if record.strengths or record.no_weaker_side)
    for record in sorted(judged, key=lambda record: record.name):
        sides: dict[str, list[str]] = {}
        for strength in record.strengths:
            sides.setdefault(_side(strength), []).append(f"`{strength.attribute}`")
        weaker = "; ".join(f"{', '.join(dict.fromkeys(names))}: {side}" for side, names in sides.items())
        protected = [c.name for c in REGISTRY.values() if any(p.resource == record.name for p in c.protects)]
        rows.append((f"`{record.name}`", weaker or "-", ", ".join(f"`{name}`" for name in protected) or "-"))
    return table(
        ("Type", "Not weakened without consent: what is stronger", "Not deleted or replaced without consent in"), rows
    )


def _side(strength: Strength) -> str:
    side = " < ".join(map(str, strength.order)) if strength.order else strength.stronger.value.rstrip(",")
    if strength.unset_is_strongest:
        side += ", also against none" if strength.stronger is Stronger.SAME else ", or none"
    if strength.only is not None:
        path, values = strength.only
        side += f" (where `{path}` is {' or '.join('not set' if v is None else v for v in values)})"
    return side


def nothing_to_overwrite() -> str:
    """Table of what is not looked for in the account before it is created, and why."""
    return table(
        ("Type", "Why"), [(f"`{kind}`", record.unread) for kind, record in sorted(RESOURCES.items()) if record.unread]
    )


def truth() -> str:
    """The truth table of adoption, from what `make truth-table` recorded."""
    module = _truth_table()
    accounts, outside = module.ACCOUNTS, module.OUTSIDE
    kinds = [kind for kind in module.rows() if kind not in outside]
    results = json.loads((ROOT / "tests" / "truth.json").read_text("utf-8"))
    reasons: dict[str, int] = {}
    failed: list[tuple[str, str, str]] = []
    passed, rows = 0, []
    for kind in kinds:
        row = [f"`{kind}`"]
        for account in accounts:
            why = module.not_applicable(kind, account)
            if why is not None:
                row.append(str(reasons.setdefault(why, len(reasons) + 1)))
                continue
            verdict = module.verdict(results, kind, account)
            good = "told" if module.left_to_people(kind, account) else "pass"
            row.append("not run" if verdict is None else "**fail**" if verdict else good)
            passed += verdict == []
            if verdict:
                more = f" (and {len(verdict) - 1} more)" if len(verdict) > 1 else ""
                failed.append((f"`{kind}`", account, f"{verdict[0]}{more}"))
        rows.append(tuple(row))
    total = len(kinds) * len(accounts)
    without = sum(module.not_applicable(kind, account) is not None for kind in kinds for account in accounts)
    versions = ", ".join(f"{name} {number}" for name, number in sorted(results["versions"].items()))
    whole = sum("**fail**" not in row and "not run" not in row for row in rows)
    parts = [
        f"{whole} of {len(kinds)} rows have every cell tried and none failed. Of {total} cells, {passed} pass or are "
        f"told, {len(failed)} fail, {total - without - passed - len(failed)} are not run, and {without} have no such "
        f"state. {len(outside)} more types are in no account and prove nothing. Tried with {versions}.",
        table(("type", *accounts), rows),
    ]
    if failed:
        parts += ["## Failed cells", table(("type", "account", "why"), failed)]
    parts += ["## Cells without such a state", "\n".join(f"{n}. {cell(why)}" for why, n in reasons.items())]
    parts += [
        "## Types in no account",
        table(("type", "why"), [(f"`{kind}`", why) for kind, why in sorted(outside.items())]),
    ]
    return "\n\n".join(parts)


def _truth_table() -> Any:
    spec = importlib.util.spec_from_file_location("truth_table_table", ROOT / "tests" / "truth_table" / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cli() -> str:
    """Every command's help."""
    group: Any = typer.main.get_command(app)
    parts = []

    def add(command: Any, path: str, parent: Any) -> None:
        context = command.make_context(path.rpartition(" ")[2], ["--help"], parent=parent, resilient_parsing=True)
        context.max_content_width = 100
        parts.append(f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```")
        for name, inner in getattr(command, "commands", {}).items():
            add(inner, f"{path} {name}", context)

    add(group, "toolkit", None)
    return "\n\n".join(parts)


def module_tables(folder: Path) -> str:
    """Variables, outputs, resources and controls of a module."""
    text = "\n".join(f.read_text("utf-8") for f in sorted(folder.glob("*.tf")))
    blocks = _BLOCK.findall(text)
    parts = []
    variables = [
        (f"`{n}`", f"`{_type(b)}`", _default(b), _description(b)) for kind, n, b in blocks if kind == "variable"
    ]
    parts.append("## Variables\n\n" + table(("Name", "Type", "Default", "Description"), variables))
    outputs = [(f"`{n}`", _description(b)) for kind, n, b in blocks if kind == "output"]
    if outputs:
        parts.append("## Outputs\n\n" + table(("Name", "Description"), outputs))
    resources = [(f"`{kind}.{name}`",) for kind, name in _RESOURCE.findall(text)]
    if resources:
        parts.append("## Resources\n\n" + table(("Address",), resources))
    if (folder / "controls.yaml").exists():
        rows = [
            (
                requirement_ids((c.topic,)) or "-",
                f"`{c.topic}`",
                f"`{c.resource}`" + (f" `{c.attribute}`" if c.attribute else ""),
                c.expectation,
            )
            for c in claims(folder.relative_to(ROOT / "modules").as_posix())
        ]
        if rows:
            parts.append("## Controls\n\n" + table(("Requirement", "Topic", "Met by", "If"), rows))
    return "\n\n".join(parts)


def _argument(block: str, name: str) -> str:
    match = re.search(rf"^  {name}\s+= (.*(?:\n    .*|\n  [\])}}].*)*)", block, re.M)
    return match[1] if match else ""


def _type(block: str) -> str:
    """The type; of an object only that it is one, since its description tells the fields."""
    text = " ".join(_argument(block, "type").split())
    outer, _, _ = text.partition("object(")
    return text if outer == text else f"{outer}object{')' * outer.count('(')}"


def _default(block: str) -> str:
    if not re.search(r"^  default\s+=", block, re.M):
        return "required"
    text = _argument(block, "default")
    return f"`{text}`" if "\n" not in text and len(text) <= 40 else "see variables.tf"


def _description(block: str) -> str:
    text = _argument(block, "description")
    return text.strip('"').replace('\\"', '"') if not text.startswith("<<") else re.sub(r"<<-?\w+|\n\s*\w+$", " ", text)


def fill(text: str, name: str, content: str) -> str:
    """Text with what stands between a marker pair replaced."""
    label = f": {name}" if name else ""
    begin, end = f"<!-- BEGIN generated{label} -->", f"<!-- END generated{label} -->"
    if begin not in text or end not in text:
        raise SystemExit(f"no markers {begin} … {end}")
    head, rest = text.split(begin, 1)
    _, tail = rest.split(end, 1)
    return f"{head}{begin}\n{content}\n{end}{tail}"


def documents() -> Iterator[tuple[Path, dict[str, Callable[[], str]]]]:
    """Every document with generated parts."""
    yield ROOT / "README.md", {"components": components, "excerpt": excerpt}
    yield ROOT / "docs" / "audit.md", {"checks": audit_checks}
    yield ROOT / "docs" / "components.md", {"settings": settings}
    yield ROOT / "docs" / "environments.md", {"profiles": profiles}
    yield ROOT / "docs" / "cli.md", {"cli": cli}
    yield ROOT / "docs" / "exit-codes.md", {"exit-codes": exit_codes}
    yield ROOT / "docs" / "findings.md", {"rules": every_rule}
    yield ROOT / "docs" / "not-proven.md", {"known-bad": known_bad}
    yield ROOT / "docs" / "pipelines.md", {"pipeline-settings": pipeline_settings}
    yield ROOT / "docs" / "pull-request.md", {"comment": pull_request}
    yield ROOT / "docs" / "reports.md", {"documents": json_documents}
    yield ROOT / "docs" / "truth-table.md", {"truth": truth}
    yield ROOT / "docs" / "variables.md", {"variables": variables}
    yield (
        ROOT / "docs" / "judging.md",
        {
            "findings": findings,
            "nothing_to_overwrite": nothing_to_overwrite,
            "guarded": guarded,
        },
    )
    for readme in sorted((ROOT / "modules").rglob("README.md")):
        if "<!-- BEGIN generated -->" in readme.read_text("utf-8"):
            yield readme, {"": partial(module_tables, readme.parent)}


def main() -> int:
    """Write, or with --check tell what would be written."""
    check = "--check" in sys.argv[1:]
    stale = []
    wanted = {ROOT / "environments" / FILE_NAME: schema_text()}
    for file, parts in documents():
        text = file.read_text("utf-8")
        for name, content in parts.items():
            text = fill(text, name, content())
        wanted[file] = text
    for file, text in wanted.items():
        if not file.exists() or file.read_text("utf-8") != text:
            stale.append(str(file.relative_to(ROOT)))
            if not check:
                file.write_text(text, encoding="utf-8")
    if not check:
        stale += draw()
    for name in stale:
        sys.stdout.write(f"{'out of date' if check else 'wrote'}: {name}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
