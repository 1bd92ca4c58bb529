"""Commands that describe: environments, settings, components, schema, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cli import console, fleet_options, options
from toolkit.documents import document
from toolkit.errors import ExitCode
from toolkit.visible import JSON


def _complete_component(incomplete: str) -> list[str]:
    from toolkit.components.registry import REGISTRY

    return [name for name in REGISTRY if name.startswith(incomplete)]


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    for command in (environments, settings, components, schema, doctor):
        app.command()(command)


def environments(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    as_json: options.Json = False,
) -> None:
    """List the environments: account, regions, state, labels.

    Makes no AWS call.

    \b
    Examples:
      toolkit environments
      toolkit environments --where tier=prod
      toolkit environments --changed-since origin/main --json
                                        for a pipeline that starts a job for each
    """
    from toolkit.workflows.environments import list_environments

    project = options.project()
    selection = fleet_options.selected(project, envs, where, everything, changed_since, by_default=True)
    found = list_environments(project, selection.names)
    if as_json:
        console.print_json(document("environments", {"environments": found}))
        return
    rows = [
        (
            e["name"],
            "embedded AWS" if e["simulator"] else " ".join(filter(None, (e["account_id"], e["account_state"]))),
            ", ".join((e["home_region"], *(r for r in e["regions"] if r != e["home_region"]))),
            f"s3://{e['backend']['bucket']}/{e['backend']['key']}" if e["backend"]["type"] == "s3" else "local",
            ", ".join(f"{key}={value}" for key, value in e["labels"].items()),
        )
        for e in found
    ]
    console.print_table(("ENVIRONMENT", "ACCOUNT", "REGIONS (HOME FIRST)", "STATE", "LABELS"), rows)


def settings(
    env: options.Env,
    setting: Annotated[
        str | None,
        typer.Argument(metavar="SETTING", help="One setting, or a block of them, as in components.cloudtrail."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show the settings in effect, and where each is from.

    Origin is set (in environment.yaml), default, synced (written there from
    fleet.yaml) or imported (from AWS Organizations). Makes no AWS call.

    \b
    Examples:
      toolkit settings prod
      toolkit settings prod components.cloudtrail
      toolkit settings prod components.cloudtrail.log_retention_days --json
    """
    from toolkit.workflows.settings import effective_settings

    found = effective_settings(options.project(), env, setting)
    if as_json:
        rows = [
            {"setting": one.setting, "value": one.value, "origin": one.origin, "line": one.line}
            for one in found.settings
        ]
        console.print_json(document("settings", {"environment": env, "file": found.file, "settings": rows}))
        return
    console.print_table(
        ("SETTING", "ORIGIN", "LINE", "VALUE"),
        [
            (one.setting, one.origin, "" if one.line is None else str(one.line), _as_yaml(one.value))
            for one in found.settings
        ],
    )
    console.tell(f"LINE is of {found.file}.")


def _as_yaml(value: object) -> str:
    """A value in a line; JSON is YAML."""
    import json

    return json.dumps(value, ensure_ascii=False)


def components(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="One component, with its settings.", autocompletion=_complete_component),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the components, or the settings of one.

    \b
    Examples:
      toolkit components
      toolkit components cloudtrail
    """
    from toolkit.workflows.describe import describe_components, settings_table

    found = describe_components(name)
    if as_json:
        console.print_json(document("components", {"components": found}))
        return
    if name is None:
        console.print_table(("COMPONENT", "SCOPE", "PURPOSE"), [(c["name"], c["scope"], c["purpose"]) for c in found])
        return
    component = found[0]
    console.say(f"{component['name']}: {component['purpose']}", f"Scope: {component['scope']}")
    needs = [*component["requires"], *(f"{n['component']} with {n['setting']}" for n in component["requires_with"])]
    console.say(f"Needs: {', '.join(needs) or 'nothing'}", f"Bills: {component['bills'] or 'nothing'}", "")
    console.print_table(("SETTING", "TYPE", "DEFAULT", "MEANING"), settings_table(name))


def schema(
    of: Annotated[
        str, typer.Argument(metavar="FILE", help="environment (environment.yaml) or pipeline (pipeline.yaml).")
    ] = "environment",
) -> None:
    """Print the JSON Schema of environment.yaml or pipeline.yaml.

    \b
    Examples:
      toolkit schema > environments/environment.schema.json
      toolkit schema pipeline > pipeline.schema.json
    """
    options.one_of("FILE", of, ("environment", "pipeline"))
    if of == "pipeline":
        from toolkit.fleet.pipeline import schema_text as text
    else:
        from toolkit.workflows.schema import schema_text as text

    console.document(text(), JSON)


def doctor(
    env: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV",
            help="Check this environment's credentials, too.",
            autocompletion=options.complete_environment,
            callback=options.named,
        ),
    ] = None,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Check Terraform, provider, project and environments.

    With ENV also the credentials of that environment, or with --sandbox the embedded AWS.

    \b
    Examples:
      toolkit doctor
      toolkit doctor prod
      toolkit doctor prod --sandbox
    """
    from toolkit.workflows.doctor import examine

    findings = list(examine(console.Settings.chdir, env, mirror, sandbox=sandbox))
    if as_json:
        rows = [{"check": f.check, "result": f.result, "found": f.found, "next": f.hint} for f in findings]
        console.print_json(document("doctor", {"checks": rows}))
    else:
        console.print_table(("CHECK", "RESULT", "FOUND"), [(f.check, f.result, f.found) for f in findings])
        for finding in findings:
            if finding.hint:
                console.tell(f"Next ({finding.check}): {finding.hint}")
    return ExitCode.ERROR if any(f.result == "fail" for f in findings) else ExitCode.OK
