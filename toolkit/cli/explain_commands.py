"""The commands that explain who can do what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.errors import ExitCode, UsageError, or_meant
from toolkit.visible import shortened

if TYPE_CHECKING:
    from toolkit.access import Answer, Question
    from toolkit.iam import ContextValue
    from toolkit.workflows.access import Subject

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="""Explain who can do what.

    By the rendered files, by a saved plan, or by the account. Three answers:
    allowed and denied hold no matter what else a request carries; what is neither
    depends on conditions, which are printed. Nothing is guessed: what is not
    known is named.

    \b
    Examples:
      toolkit explain who-can cloudtrail:StopLogging
      toolkit explain why user:anna iam:CreateUser
      toolkit explain what-can group:developers --service s3
      toolkit explain question turn-off-the-lights
    """,
)


class Expected(StrEnum):
    """What an answer is compared with."""

    allowed = "allowed"
    denied = "denied"


Action = Annotated[str, typer.Argument(metavar="ACTION", help="One action, such as cloudtrail:StopLogging.")]
Resource = Annotated[str | None, typer.Argument(metavar="RESOURCE", help="ARN of the resource; none: any resource.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="PRINCIPAL",
        help="A name, KIND:NAME (group, user, role, permission-set, account, accounts-below, anyone), or an ARN.",
    ),
]
EnvOption = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="ENV",
        help="The environment; can be left out in a project with one.",
        autocompletion=options.complete_environment,
        callback=options.named,
    ),
]
Rendered = Annotated[
    bool,
    typer.Option(
        "--rendered",
        help="By the rendered files (the default): planned with the real provider on an embedded AWS.",
    ),
]
Bundle = Annotated[
    str | None,
    typer.Option("--plan", metavar="BUNDLE", help="By what there is once this saved plan is applied."),
]
Live = Annotated[bool, typer.Option("--live", help="By what the account has now; reads AWS.")]
Context = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="KEY=VALUE",
        help="A condition key of the request, such as aws:MultiFactorAuthPresent=true; repeatable.",
    ),
]
Session = Annotated[
    list[Path] | None,
    typer.Option("--session-policy", metavar="FILE", help="A policy that was passed to the session; repeatable."),
]
Expect = Annotated[
    Expected | None,
    typer.Option("--expect", help="Exit with 2 if an answer is another one, for scripts."),
]


@app.command("who-can")
def who_can(
    action: Action,
    resource: Resource = None,
    env: EnvOption = None,
    rendered: Rendered = False,
    plan: Bundle = None,
    live: Live = False,
    context: Context = None,
    expect: Expect = None,
    as_json: options.Json = False,
    kms_key: options.KmsKey = None,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Show who can do something.

    Each group, user, role, permission set and trusted account, with the statements
    that decide. -v also shows why the others are denied. --expect compares every
    answer, so that `--expect denied` holds only if the action is open to none of
    them. Identity providers and services that a policy names are only listed.

    \b
    Examples:
      toolkit explain who-can cloudtrail:StopLogging
      toolkit explain who-can s3:DeleteBucket arn:aws:s3:::example-logs --env prod
      toolkit explain who-can iam:CreateUser --plan prod.tfbundle --json
      toolkit explain who-can kms:Decrypt --live --env prod
    """
    from toolkit.access import Judge, asking

    subject = _subject(env, plan, kms_key, rendered=rendered, live=live, sandbox=sandbox, mirror=mirror)
    question = asking.asked(action, resource, _context(context))
    answers = asking.who_can(Judge(subject.world), question)
    return _shown(subject, "who-can", question, answers, expect, as_json=as_json)


@app.command("what-can")
def what_can(
    principal: Name,
    service: Annotated[
        str | None, typer.Option("--service", metavar="PREFIX", help="Every action of a service, such as s3.")
    ] = None,
    env: EnvOption = None,
    rendered: Rendered = False,
    plan: Bundle = None,
    live: Live = False,
    context: Context = None,
    as_json: options.Json = False,
    kms_key: options.KmsKey = None,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Show what a principal can do.

    Of the catalogue of sensitive actions (identities, credentials, logging,
    detection, keys, log buckets, network edges, organization, billing), or of
    every action of one service.

    \b
    Examples:
      toolkit explain what-can group:developers
      toolkit explain what-can role:deploy --service iam
      toolkit explain what-can account:444455556666 --plan prod.tfbundle
    """
    from toolkit.access import Judge, Question, asking
    from toolkit.access.catalogue import catalogue, questions
    from toolkit.access.reference import actions_of, known_action, known_key, known_service
    from toolkit.reports.access import access_data, what_lines

    subject = _subject(env, plan, kms_key, rendered=rendered, live=live, sandbox=sandbox, mirror=mirror)
    judge = Judge(subject.world)
    found = asking.named(subject.world, principal)
    given = _context(context)
    if service is not None:
        prefix = known_service(service)
        asked = [(prefix, Question(action.name)) for action in actions_of(prefix)]
    else:
        asked = [(sensitive.group, question) for sensitive, question in questions(subject.world)]
    for key, _ in given:
        # Of many actions, one has to have the key.
        if not any(_has(key, question.action) for _, question in asked):
            known_key(key, known_action(asked[0][1].action))
    answers = [(group, asking.answer_of(judge, found, _with(question, given))) for group, question in asked]
    if as_json:
        console.print_json(access_data(subject, "what-can", (answer for _, answer in answers)))
        return ExitCode.OK
    about = f"{len(catalogue())} sensitive actions" if service is None else f"the actions of {service.lower()}"
    console.say(*what_lines(subject, found.label, answers, about=about))
    return ExitCode.OK


@app.command("why")
def why(
    principal: Name,
    action: Action,
    resource: Resource = None,
    env: EnvOption = None,
    rendered: Rendered = False,
    plan: Bundle = None,
    live: Live = False,
    context: Context = None,
    session_policy: Session = None,
    expect: Expect = None,
    as_json: options.Json = False,
    kms_key: options.KmsKey = None,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Show why a principal can do something, or not.

    The statements that decide, each with the line of its setting. --context fixes
    what the answer would otherwise depend on.

    \b
    Examples:
      toolkit explain why user:anna iam:CreateUser
      toolkit explain why role:deploy s3:PutObject arn:aws:s3:::example-logs/a
      toolkit explain why anna iam:CreateUser \\
                          --context aws:MultiFactorAuthPresent=true
      toolkit explain why group:developers cloudtrail:StopLogging --expect denied
    """
    from dataclasses import replace

    from toolkit.access import Judge, asking

    subject = _subject(env, plan, kms_key, rendered=rendered, live=live, sandbox=sandbox, mirror=mirror)
    found = asking.named(subject.world, principal)
    question = asking.asked(action, resource, _context(context))
    if session_policy:
        from toolkit.workflows.access import session_policies

        question = replace(question, session=session_policies(session_policy))
    answer = asking.answer_of(Judge(subject.world), found, question)
    return _shown(subject, "why", question, (answer,), expect, as_json=as_json)


@app.command("question")
def question(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="turn-off-the-lights, read-the-logs, escalate or administrator-in-one-step.",
        ),
    ],
    env: EnvOption = None,
    rendered: Rendered = False,
    plan: Bundle = None,
    live: Live = False,
    as_json: options.Json = False,
    kms_key: options.KmsKey = None,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Answer a question that has a name.

    \b
    turn-off-the-lights        who can stop or hide what records and watches
    read-the-logs              who can read what was recorded
    escalate                   who can become an administrator by a known path
    administrator-in-one-step  the same, with one action

    \b
    Examples:
      toolkit explain question turn-off-the-lights
      toolkit explain question escalate --plan prod.tfbundle
    """
    from toolkit.access.questions import NAMED
    from toolkit.reports.access import named_data, named_lines
    from toolkit.workflows.access import answered

    if name not in NAMED:
        raise UsageError(
            f"no question has the name {name!r}" + or_meant(name, tuple(NAMED)), hint=f"names: {', '.join(NAMED)}"
        )
    subject = _subject(env, plan, kms_key, rendered=rendered, live=live, sandbox=sandbox, mirror=mirror)
    found = answered(subject, NAMED[name])
    if as_json:
        console.print_json(named_data(subject, NAMED[name], found))
    else:
        console.say(*named_lines(subject, NAMED[name], found, verbose=console.Settings.verbose))
    return ExitCode.OK


def _subject(
    env: str | None,
    plan: str | None,
    kms_key: str | None,
    *,
    rendered: bool,
    live: bool,
    sandbox: bool,
    mirror: Path | None,
) -> Subject:
    from toolkit.workflows import access as workflow

    given = [name for name, on in (("--rendered", rendered), ("--plan", plan is not None), ("--live", live)) if on]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other", hint="expected one of them")
    if plan is not None:
        from toolkit.workflows.keys import bundle_keys

        if env is not None:
            raise UsageError("--env: a plan bundle has its environment", hint="leave out --env")
        around, access = options.project_if_any(), options.access(sandbox, mirror)
        return workflow.planned(plan, around, access, bundle_keys(around, access, kms_key))
    options.demands_on(plan, kms_key=kms_key)
    project = options.project()
    name = workflow.environment_named(project, env)
    with console.Progress() as progress:
        if live:
            return workflow.live(project, name, options.access(sandbox, mirror), progress)
        return workflow.rendered(project, name, options.access(sandbox, mirror), progress)


def _context(given: Sequence[str] | None) -> list[tuple[str, ContextValue]]:
    found: dict[str, list[str]] = {}
    for one in given or ():
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--context: {one!r} has no value", hint="expected KEY=VALUE, such as aws:MultiFactorAuthPresent=true"
            )
        found.setdefault(key, []).append(value)
    return [(key, values[0] if len(values) == 1 else values) for key, values in found.items()]


def _has(key: str, action: str) -> bool:
    from toolkit.access.reference import known_action, known_key

    try:
        known_key(key, known_action(action))
    except UsageError:
        return False
    return True


def _with(question: Question, given: Iterable[tuple[str, ContextValue]]) -> Question:
    from dataclasses import replace

    from toolkit.access import asking

    known = [(key, value) for key, value in given if _has(key, question.action)]
    return replace(question, context=asking.asked(question.action, None, known).context)


def _shown(
    subject: Subject,
    command: str,
    question: Question,
    answers: Sequence[Answer],
    expect: Expected | None,
    *,
    as_json: bool,
) -> int:
    from toolkit.reports.access import access_data, who_lines, why_lines

    other = [one for one in answers if expect is not None and one.verdict.value != expect.value]
    if as_json:
        more = {} if expect is None else {"expected": expect.value, "as_expected": not other}
        console.print_json(access_data(subject, command, answers, **more))
    elif command == "why":
        console.say(*why_lines(subject, answers[0]))
    else:
        console.say(*who_lines(subject, question, answers, verbose=console.Settings.verbose))
    if other:
        said = shortened([f"{one.principal.label} {one.verdict.value}" for one in other], 3)
        console.tell(f"expected {expect.value if expect else ''}: {said}")
        return ExitCode.CHANGES
    return ExitCode.OK
