"""pipeline.yaml: what the pipelines that `toolkit pipeline` writes do, and for which environments.

In: the file beside environments/, which a project need not have. Out: typed settings, or every error at once with its
line. Whether environments and labels in it exist is decided in `toolkit.fleet.matrix`, which knows the environments.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from toolkit.environment.model import PLAN_STORE, PLAN_STORE_IS
from toolkit.environment.source import Data, Path, Problem, Source, kind_of, parse
from toolkit.environment.text import read
from toolkit.environment.wording import problem_of
from toolkit.errors import ToolkitError
from toolkit.files import refuse_links
from toolkit.settings.base import Settings
from toolkit.settings.values import checked
from toolkit.signing import KMS_KEY
from toolkit.spelling import nearest
from toolkit.typed import dotted
from toolkit.versions import TERRAFORM
from toolkit.visible import joined_lines

FILE_NAME = "pipeline.yaml"


def _as_tuple(value: Any) -> Any:
    """A list of YAML; a single text is a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Text = Annotated[str, checked(r"[^\x00-\x1f\x7f]{1,500}", "text on one line, at most 500 characters")]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Branch = Annotated[
    str,
    # What is left of git's rules (git-check-ref-format) cannot end a string of YAML or of a shell.
    checked(r"(?!/|-|.*(?:\.\.|//|\.lock$))[A-Za-z0-9._/-]{1,200}(?<![/.])", "the name of a branch, like main"),
]
Repository = Annotated[
    str,
    # GitHub: an owner has letters, digits and single hyphens, a repository those, dots and underscores. GitLab's groups
    # nest (docs.gitlab.com, "Rules for project and group names").
    checked(
        r"(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9])?(?:/[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?){1,20}",
        "OWNER/NAME, as in the repository's address",
    ),
]
Cron = Annotated[
    str,
    checked(
        r"[0-9*/,-]+ [0-9*/,-]+ [0-9*/,-]+ [0-9A-Za-z*/,-]+ [0-9A-Za-z*/,-]+",
        'five fields of cron in UTC, like "17 4 * * *"',
    ),
]
Version = Annotated[str, checked(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}", 'a release in quotes, like "1.11.4"')]
KeyId = Annotated[str, checked(KMS_KEY, "id, alias or ARN of a KMS key")]
_LABEL = r"[^\x00-\x1f\x7f,]{1,50}"


class Bundle(Settings):
    """How a saved plan gets from the job that makes it to the job that applies it."""

    to: Annotated[
        str,
        checked(rf"artifact|{PLAN_STORE}", f"artifact, or {PLAN_STORE_IS}"),
    ] = Field(
        "artifact",
        description="Where the saved plan is kept: an encrypted artifact of the run, or an S3 prefix.",
    )
    kms_key: KeyId | None = Field(
        None, description="KMS key that encrypts the saved plan, instead of the secret TOOLKIT_BUNDLE_KEY."
    )
    sign: Literal["none", "github", "kms"] = Field(
        "none",
        description="What proves that the plan job made a plan: none, an attestation of GitHub, or signing_key.",
    )
    signing_key: KeyId | None = Field(
        None, description="Asymmetric KMS key that signs plans, with `sign: kms` (CodeBuild)."
    )

    @model_validator(mode="after")
    def _key_of_kms(self) -> Bundle:
        if (self.sign == "kms") != (self.signing_key is not None):
            raise ValueError("`sign: kms` and `signing_key` are set together, or neither")
        if self.sign == "github" and self.to != "artifact":
            raise ValueError("`sign: github` is for plans that are artifacts, not for an S3 prefix")
        return self


class Nightly(Settings):
    """The scheduled check for drift and of the audit."""

    enabled: bool = Field(True, description="Whether the scheduled check is written.")
    cron: Cron = Field("17 4 * * *", description="When it runs, in UTC.")
    fail_on: Literal["critical", "high", "medium", "note"] = Field(
        "high", description="Severity from which a failed check of the audit opens an issue."
    )
    issue_label: Annotated[str, checked(_LABEL, "a label of at most 50 characters, without a comma")] = Field(
        "aws-baseline", description="Label of the issues that it opens (GitHub)."
    )


class Pipeline(Settings):
    """What pipeline.yaml says. Everything has a default: the file is needed only for what differs."""

    environments: Texts = Field(
        ("*",), description="Names and patterns of the environments. Those of the embedded AWS are left out."
    )
    where: dict[str, Texts] = Field(
        {}, description="Labels that select among them. Each of the environments must have every one of these labels."
    )
    repository: Repository | None = Field(
        None, description="OWNER/NAME: the only repository in which the pipeline plans and applies."
    )
    branch: Branch = Field("main", description="The branch whose commits are applied.")
    pull_request: Literal["changed", "all"] = Field(
        "changed", description="Which environments a pull request plans: those that it changes, or all."
    )
    package: Text | None = Field(
        None,
        description="What pip installs the toolkit from, at one version; without it, the variable TOOLKIT_PACKAGE.",
    )
    terraform: Version = Field(TERRAFORM.lowest, description="Terraform's release.")
    runner: Texts = Field(("ubuntu-latest",), description="Label or labels of the runner (GitHub) or tags (GitLab).")
    shards: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="Number of plan jobs. By default, one for each environment, as long as a matrix takes them."
    )
    expires_in: Annotated[str, checked(r"[1-9][0-9]{0,3}[mhd]", "a duration, like 90m, 8h or 3d")] = Field(
        "24h", description="How long a plan may wait for its approval."
    )
    plan_minutes: Annotated[int, Field(ge=5, le=360)] = Field(30, description="Time limit of a plan job, in minutes.")
    # Credentials from OIDC last an hour by default; a longer apply would lose them half-way.
    apply_minutes: Annotated[int, Field(ge=5, le=360)] = Field(60, description="Time limit of an apply job.")
    cache: bool = Field(True, description="Whether plan jobs cache Terraform providers.")
    bundle: Bundle = Field(Bundle(), description="How a saved plan is passed on.")
    nightly: Nightly = Field(Nightly(), description="The scheduled check.")

    @property
    def days(self) -> int:
        """Days for which a saved plan is kept: as long as it may be applied."""
        number, unit = int(self.expires_in[:-1]), self.expires_in[-1]
        return min(90, max(1, -(-number * {"m": 1, "h": 60, "d": 1440}[unit] // 1440)))


class PipelineFileError(ToolkitError):
    """A pipeline.yaml, or an environment, that no pipeline can be made of; `problems` has every reason."""

    def __init__(self, problems: Sequence[tuple[str, Problem]]) -> None:
        """
        Args:
            problems: File as errors name it, and what is wrong there.
        """
        self.problems = tuple(sorted(problems, key=lambda p: (p[0] != FILE_NAME, p[0], p[1].line)))
        count = len(problems)
        super().__init__(
            f"{count} error{'s' if count != 1 else ''} in what the pipeline is made of; nothing was written",
            where=self.problems[0][0],
            detail=joined_lines(f"{file}:{problem.line}: {problem}" for file, problem in self.problems),
            hint="fix the lines above (docs/pipelines.md describes pipeline.yaml)",
        )


class Written:
    """pipeline.yaml as it was read: its settings, and where each is."""

    def __init__(self, settings: Pipeline, source: Source) -> None:
        self.settings = settings
        self.exists = source.data is not None
        self._source = source

    def problem(self, path: Path, problem: str, expected: str = "", guess: str | None = None) -> tuple[str, Problem]:
        """What is wrong at a place of the file."""
        return FILE_NAME, Problem(self._source.line(path), dotted(path), problem, expected, guess)


def load_pipeline(root: FilePath) -> Written:
    """Read a project's pipeline.yaml; without one, everything has its default.

    Raises:
        PipelineFileError: Everything that is wrong with it.
        ToolkitError: It cannot be read, or is a symbolic link.
    """
    file = root / FILE_NAME
    refuse_links(root, file)
    text = read(file, FILE_NAME, usual="the file is a page or two")
    return Written(Pipeline(), Source()) if text is None else parse_pipeline(text)


def parse_pipeline(text: str) -> Written:
    """Check the text of a pipeline.yaml; see `load_pipeline`."""
    source = parse(text, expected="one document with settings of the pipeline")
    problems = list(source.problems)
    if not isinstance(source.data, dict):
        top = Problem(1, "", f"{kind_of(source.data)} at the top", f"keys like {', '.join(list(_keys(()))[:3])}")
        raise PipelineFileError([(FILE_NAME, problem) for problem in problems or [top]])
    try:
        settings = Pipeline.model_validate(source.data)
    except ValidationError as e:
        problems += [_problem(error, source) for error in e.errors(include_url=False)]
    if problems:
        raise PipelineFileError([(FILE_NAME, problem) for problem in problems])
    return Written(settings, source)


def schema_text() -> str:
    """The JSON Schema of pipeline.yaml (draft 2020-12)."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_lists(Pipeline.model_json_schema()),
        "title": "pipeline.yaml of aws-baseline-toolkit",
    }
    return json.dumps(schema, indent=2) + "\n"


def _lists(schema: Any) -> Any:
    """The schema with a single text admitted wherever a list of texts is."""
    if isinstance(schema, list):
        return [_lists(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _lists(value) for key, value in schema.items()}
    if found.get("type") == "array":
        about = {key: found.pop(key) for key in ("description", "default", "title") if key in found}
        return {"anyOf": [found, {"type": "string"}], **about}
    return found


def _keys(path: Path) -> tuple[str, ...]:
    models: dict[Path, type[Settings]] = {(): Pipeline, ("bundle",): Bundle, ("nightly",): Nightly}
    return tuple(models[path].model_fields)


def _problem(error: Any, source: Source) -> Problem:
    if error["type"] != "extra_forbidden":
        return problem_of(error, source)
    *path, name = error["loc"]
    known = _keys(tuple(path))
    line = source.line(tuple(error["loc"]))
    return Problem(
        line, dotted(error["loc"]), f"unknown key {name!r}", f"one of {', '.join(known)}", nearest(name, known)
    )


def shown(data: Data) -> str:
    """A value as pipeline.yaml has it."""
    return json.dumps(data, ensure_ascii=False)
