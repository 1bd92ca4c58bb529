"""Reads environment.yaml: text in, a typed Environment out, or every error at once with its place.

Never touches AWS, Terraform or any file but the one it is given and those beside it that it names.
"""

from __future__ import annotations

import json
import typing
from functools import cache, reduce
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from toolkit.aws_lists import aws_list
from toolkit.components.base import Component, Scope
from toolkit.components.registry import REGISTRY
from toolkit.environment.companions import named_files
from toolkit.environment.model import EnabledComponent, Environment, EnvironmentFile, LocalBackend, S3Backend
from toolkit.environment.source import MAX_BYTES, Data, Path, Problem, Source, parse, places
from toolkit.errors import ToolkitError
from toolkit.files import read_regular
from toolkit.regions import GLOBAL_REGION, PARTITION_OF, partition_of
from toolkit.settings.base import Mismatch
from toolkit.settings.listed import MISSPELT, NEWER, REPORT
from toolkit.settings.tags import NARROW_KEY
from toolkit.spelling import nearest
from toolkit.typed import dotted
from toolkit.visible import joined_lines


class EnvironmentFileError(ToolkitError):
    """An environment file that cannot be used; `problems` has every reason."""

    def __init__(self, where: str, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        count = len(problems)
        super().__init__(
            f"{count} error{'s' if count != 1 else ''} in the environment file",
            where=where,
            detail=joined_lines(f"{where}:{p.line}: {p}" for p in self.problems),
            hint="fix the lines above; `toolkit schema` prints every key with its meaning",
        )


@cache
def file_model(names: tuple[str, ...] = tuple(REGISTRY)) -> type[EnvironmentFile]:
    """A whole file's model: EnvironmentFile plus one optional block per component.

    Args:
        names: The components; a file is checked against those that it names, since each costs time.
    """
    blocks: dict[str, Any] = {
        name: (
            # `password_policy:` with nothing after it is null in YAML and means the defaults.
            REGISTRY[name].settings | None,
            Field(default=None, description=REGISTRY[name].purpose),
        )
        for name in names
    }
    components = create_model("Components", __config__=ConfigDict(extra="forbid", frozen=True, strict=True), **blocks)
    return create_model(
        "EnvironmentYaml",
        __base__=EnvironmentFile,
        components=(
            components,
            Field(description="The components to switch on; an empty block means secure defaults."),
        ),
    )


def load_environment(file: FilePath, *, name: str, shown_as: str | None = None) -> Environment:
    """Read and check one environment file.

    Args:
        file: The environment.yaml.
        name: The environment's name (its folder's).
        shown_as: How errors name the file; its path when None.

    Raises:
        EnvironmentFileError: Everything that is wrong with it.
        ToolkitError: It cannot be read.
    """
    where = shown_as or str(file)
    try:
        raw = read_regular(file, MAX_BYTES + 1)
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=where) from e
    if len(raw) > MAX_BYTES:
        raise ToolkitError(f"larger than {MAX_BYTES} bytes", where=where, hint="an environment file is a few pages")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise ToolkitError("not UTF-8", where=f"{where}:{line}", hint="save the file as UTF-8") from e
    return load_text(text, name=name, shown_as=where, folder=file.parent)


def load_text(text: str, *, name: str, shown_as: str, folder: FilePath | None = None) -> Environment:
    """Check the text of an environment file; see `load_environment`.

    Args:
        text: The file's.
        name: The environment's name.
        shown_as: How errors name the file.
        folder: Where the files are that it names; None: nowhere, and naming one is an error.
    """
    source = parse(text)
    if not isinstance(source.data, dict):
        top = Problem(1, "", f"{_kind(source.data)} at the top", "keys like `account_id`, `regions`, `components`")
        raise EnvironmentFileError(shown_as, source.problems or [top])
    data = _blocks_for_nulls(source.data)
    problems = list(source.problems)
    seen = {p.path for p in problems}
    model, found, newer = _validated(data, source)
    problems += [p for p in found if p.path not in seen]
    problems += _missing_needs(data, source)
    problems += _inactive_regions(data, source)
    problems += _absent_services(data, source)
    problems += _unable_regions(data, source)
    problems += _inactive_global_region(data, source)
    problems += _unusable_tags(data, source)
    files, unusable = named_files(_named_components(data), data, source, folder)
    problems += unusable
    if model is None or problems:
        raise EnvironmentFileError(shown_as, problems)
    enabled = _enabled(model, source)
    if problems := [*_mismatches(enabled, source), *_alike(enabled, source)]:
        raise EnvironmentFileError(shown_as, problems)
    environment = Environment(
        name=name,
        components=enabled,
        lines=source.lines,
        files=files,
        newer=newer,
        **{field: getattr(model, field) for field in EnvironmentFile.model_fields},
    )
    if problems := _not_offered(environment, source):
        raise EnvironmentFileError(shown_as, problems)
    return environment


def _validated(
    data: dict[str, Data], source: Source
) -> tuple[EnvironmentFile | None, list[Problem], tuple[Problem, ...]]:
    """The model, or what is wrong; and what is accepted though it is newer than our lists of AWS's names."""
    shape = file_model(_named_components(data))
    newer: dict[str, Problem] = {}
    # Once to learn what is newer, and where; then, if something is, once more to accept it.
    for context in (REPORT, None):
        try:
            return shape.model_validate(data, context=context), [], tuple(newer.values())
        except ValidationError as e:
            errors = e.errors(include_url=False)
        for error in errors:
            if error["type"] == NEWER:
                problem = _problem(error, source)
                # One that stands in several places is reported at the first.
                newer.setdefault(problem.problem, problem)
        if not newer:
            break
    return None, [_problem(error, source) for error in errors if error["type"] != NEWER], tuple(newer.values())


def _enabled(model: EnvironmentFile, source: Source) -> tuple[EnabledComponent, ...]:
    blocks = model.components  # type: ignore[attr-defined]
    return tuple(
        EnabledComponent(REGISTRY[name], getattr(blocks, name), source.line(("components", name)))
        for name in type(blocks).model_fields
    )


def _mismatches(enabled: tuple[EnabledComponent, ...], source: Source) -> list[Problem]:
    settings = {e.component.name: e.settings for e in enabled}
    return [
        _mismatch(e.component, mismatch, source)
        for e in enabled
        if e.component.mismatches is not None
        for mismatch in e.component.mismatches(e.settings, settings)
    ]


def _not_offered(environment: Environment, source: Source) -> list[Problem]:
    """What components are asked to do that AWS does not do in the environment's partition or regions."""
    place = environment.place
    found = [
        (e.component, mismatch)
        for e in environment.components
        if e.component.not_offered is not None
        for mismatch in e.component.not_offered(e.settings, place)
    ]
    for e in environment.components:
        for lacking in e.component.lacking_in:
            steps = tuple(lacking.setting.split(".")) if lacking.setting else ()
            if place.partition in lacking.partitions and reduce(getattr, steps, e.settings):
                problem = f"AWS has no {lacking.name} in the partition {place.partition}"
                found.append((e.component, Mismatch(steps, problem, lacking.expected)))
    return [_mismatch(component, mismatch, source) for component, mismatch in found]


def _mismatch(component: Component, mismatch: Mismatch, source: Source) -> Problem:
    path: Path = ("components", component.name, *mismatch.setting)
    return Problem(source.line(path), dotted(path), mismatch.problem, mismatch.expected, mismatch.guess)


def _alike(enabled: tuple[EnabledComponent, ...], source: Source) -> list[Problem]:
    """Names that IAM does not distinguish, whichever components they are of; told at the later one in the file."""
    found: dict[tuple[str, str], list[tuple[int, Path, str]]] = {}
    for e in enabled:
        for declared in e.component.iam_names:
            for path, value in _named_by(e, declared.setting):
                name = declared.text.format(value)
                found.setdefault((declared.resource, name.lower()), []).append((source.line(path), path, name))
    problems = []
    for (resource, _), places_of in found.items():
        (first_line, first_path, first), *others = sorted(places_of, key=lambda place: place[0])
        kind = resource.removeprefix("aws_iam_")
        expected = "another name"
        if first_path not in source.lines and first_path[-1] == first:
            expected = f"the spelling {first!r} of the default, or `{first}: null` in addition to it"
        for line, path, name in others:
            place = f"{dotted(first_path)} (line {first_line})"
            problem = f"{place} names a {kind} {name!r} already"
            if name != first:
                problem = f"IAM does not distinguish names by case: the {kind} {name!r} is {first!r} of {place}"
            problems.append(Problem(line, dotted(path), problem, expected))
    return problems


def _named_by(enabled: EnabledComponent, setting: str) -> list[tuple[Path, str]]:
    """(place, value) of a setting that names something; see `IamName.setting`."""
    *steps, last = setting.split(".")
    here: Any = enabled.settings
    for step in steps if last == "*" else [*steps, last]:
        here = getattr(here, step, None)
    base: Path = ("components", enabled.component.name, *steps)
    if last == "*":
        return [((*base, key), key) for key, value in here.items() if value is not None]
    return [] if here is None else [((*base, last), here)]


def _blocks_for_nulls(data: dict[str, Data]) -> dict[str, Data]:
    components = data.get("components")
    if not isinstance(components, dict):
        return {**data, "components": {}} if "components" in data and components is None else data
    return {**data, "components": {name: {} if block is None else block for name, block in components.items()}}


def _named_components(data: dict[str, Data]) -> tuple[str, ...]:
    blocks = data.get("components")
    return tuple(n for n in REGISTRY if n in blocks) if isinstance(blocks, dict) else ()


def _missing_needs(data: dict[str, Data], source: Source) -> list[Problem]:
    names = _named_components(data)
    needs: list[tuple[Path, str]] = [(("components", name), need) for name in names for need in REGISTRY[name].requires]
    for name in names:
        for setting, need in REGISTRY[name].requires_with:
            path: Path = ("components", name, setting)
            if _at(path, data) is not None:
                needs.append((path, need))
    return [
        Problem(
            source.line(path),
            dotted(path),
            f"needs the component {need}, which is off",
            f"`{need}: {{}}` (or its settings) in addition to it",
        )
        for path, need in needs
        if need not in names
    ]


def _active(data: dict[str, Data]) -> list[Data]:
    """The active regions as the file names them; none where it does so wrongly, which is told elsewhere."""
    regions = data.get("regions")
    active = (regions.get("active") or [regions.get("home")]) if isinstance(regions, dict) else []
    return active if isinstance(active, list) else []


def _inactive_global_region(data: dict[str, Data], source: Source) -> list[Problem]:
    regions = data.get("regions")
    home = regions.get("home") if isinstance(regions, dict) else None
    if not isinstance(regions, dict) or (partition := partition_of(home)) is None:
        return []
    needed = GLOBAL_REGION[partition]
    active = _active(data)
    if not active or needed in active:
        return []
    places: list[Path] = []
    for name in _named_components(data):
        if REGISTRY[name].scope is Scope.GLOBAL_REGION:
            places.append(("components", name))
        settings = [("components", name, setting) for setting in REGISTRY[name].global_region_with]
        places += [path for path in settings if _at(path, data) is not None]
    return [
        Problem(
            source.line(path),
            dotted(path),
            f"is possible only in {needed}, which is not active",
            f"{needed} in regions.active",
        )
        for path in places
    ]


def _inactive_regions(data: dict[str, Data], source: Source) -> list[Problem]:
    active = _active(data)
    if not active:
        return []
    found = []
    for name in _named_components(data):
        for setting in REGISTRY[name].regions_in:
            for path, named in places(("components", name, *setting.split(".")), data):
                alone = isinstance(named, str)
                for index, region in enumerate([named] if alone else named if isinstance(named, (list, dict)) else ()):
                    # Whatever is no region at all is told by the settings' own check.
                    if isinstance(region, str) and partition_of(region) and region not in active:
                        place = path if alone else (*path, region if isinstance(named, dict) else index)
                        accepted = ", ".join(map(str, active))
                        found.append(
                            Problem(source.line(place), dotted(place), f"{region} is not active", f"one of {accepted}")
                        )
    return found


def _absent_services(data: dict[str, Data], source: Source) -> list[Problem]:
    """Services that AWS does not offer in an active region, and that are not left out there."""
    found = []
    for name in _named_components(data):
        path: Path = ("components", name)
        named = [_at((*path, setting), data) for setting in ("skipped_regions", "offered_regions")]
        for region in _active(data):
            if region in REGISTRY[name].absent_in and not any(isinstance(n, list) and region in n for n in named):
                taken = aws_list("service_regions").taken
                problem = f"AWS does not offer it in {region}, which is active (list {taken})"
                expected = f"{region} under {name}.skipped_regions; under offered_regions, if AWS does by now"
                found.append(Problem(source.line(path), dotted(path), problem, expected))
    return found


def _unable_regions(data: dict[str, Data], source: Source) -> list[Problem]:
    """Regions that were chosen for something, by name or for being the home region, that AWS does not do there."""
    regions = data.get("regions")
    home = regions.get("home") if isinstance(regions, dict) else None
    found = []
    for name in _named_components(data):
        for setting, problem, unable in REGISTRY[name].unable_in:
            path: Path = ("components", name, setting)
            named = _at(path, data)
            region = home if named is None else named
            # A region newer than the list is newer than those, too.
            if region in unable or (partition_of(region) and region not in PARTITION_OF):
                place = ("components", name) if named is None else path
                able = [str(r) for r in _active(data) if r in PARTITION_OF and r not in unable]
                expected = f"`{setting}: {able[0]}`" if able else f"`{setting}` and an older region in regions.active"
                found.append(Problem(source.line(place), dotted(place), f"{problem} in {region}", expected))
    return found


def _unusable_tags(data: dict[str, Data], source: Source) -> list[Problem]:
    """Tag keys that one resource cannot have side by side, and those that a component's service does not accept."""
    found = []
    own = [("components", name, *at.split(".")) for name in _named_components(data) for at in REGISTRY[name].tags_in]
    for at in (("default_tags",), *own):
        for path, tags in places(at, data):
            seen: dict[str, str] = {}
            for key in tags if isinstance(tags, dict) else ():
                if (first := seen.setdefault(key.lower(), key)) != key:
                    line = source.line((*path, first))
                    problem = f"IAM does not distinguish tag keys by case: {key!r} is {first!r} of line {line}"
                    found.append(Problem(source.line((*path, key)), dotted((*path, key)), problem, "one of them"))
    narrow = [name for name in _named_components(data) if REGISTRY[name].narrow_tag_keys]
    tags = data.get("default_tags")
    for key in tags if narrow and isinstance(tags, dict) else ():
        if not NARROW_KEY.fullmatch(key):
            found.append(
                Problem(
                    source.line(("default_tags", key)),
                    dotted(("default_tags", key)),
                    f"the service of {narrow[0]} does not accept this tag key",
                    "a key of A-Z a-z 0-9 + - = . _ : / alone",
                )
            )
    return found


def _problem(error: ErrorDetails, source: Source) -> Problem:
    path = _path_in_file(error["loc"], source.data)
    kind = error["type"]
    # A bound of a number is a float to pydantic even where it is written as a whole number.
    context = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in error.get("ctx", {}).items()}
    value = _shown(path, source.data)
    line = source.line(path)
    where = dotted(path)
    if kind == "extra_forbidden":
        name = str(path[-1])
        known = _known_keys(path[:-1])
        what = "unknown component" if path[:-1] == ("components",) else "unknown key"
        return Problem(line, where, f"{what} {name!r}", f"one of {', '.join(known)}", nearest(name, known))
    if kind == "missing":
        return Problem(line, where, "missing", _meaning(path))
    if kind == "union_tag_invalid":
        choices = str(context["expected_tags"]).replace("'", '"')
        return Problem(line, f"{where}.type", f"{context['tag']!r} is none of the kinds", f"one of {choices}")
    if kind == "union_tag_not_found":
        return Problem(line, f"{where}.type", "missing", '"local" or "s3"')
    if kind == "literal_error":
        choices = str(context["expected"])
        names = [c.strip(" '") for c in choices.replace(" or ", ",").split(",")]
        guess = nearest(str(_at(path, source.data)), names)
        return Problem(line, where, value, choices.replace("'", '"'), guess)
    if kind == MISSPELT:
        meant = str(context["guess"]) if context["guess"] else None
        return Problem(line, where, value, str(context["expected"]), meant)
    if kind == NEWER:
        return Problem(line, where, str(context["text"]), "")
    expected = _EXPECTATIONS.get(kind)
    if expected is not None:
        accepted = expected.format(**context)
        return Problem(line, where, value, _SINGULAR.get(accepted, accepted))
    if kind == "value_error":
        message = str(context.get("error", error["msg"]))
        if message.startswith("expected "):
            return Problem(line, where, value, message.removeprefix("expected "))
        return Problem(line, where, message, "")
    return Problem(line, where, value, error["msg"][:1].lower() + error["msg"][1:])


_EXPECTATIONS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text (in quotes if it looks like a number)",
    "dict_type": "a block of keys and values",
    "model_type": "a block of keys and values",
    "model_attributes_type": "a block of keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}
"""pydantic's error types → what would be accepted."""

_SINGULAR = {
    "at least 1 characters": "at least 1 character",
    "at most 1 characters": "at most 1 character",
    "at least 1 entries": "at least 1 entry",
    "at most 1 entries": "at most 1 entry",
}


def _path_in_file(loc: tuple[int | str, ...], data: Data) -> Path:
    """pydantic's location without the steps that are its own (union members, "[key]")."""
    path: list[str | int] = []
    here: Any = data
    for position, step in enumerate(loc):
        if isinstance(here, dict) and (step in here or position == len(loc) - 1) and step != "[key]":
            path.append(step)
            here = here.get(step)
            if here is None and len(path) == 2 and path[0] == "components":
                here = {}  # as in _blocks_for_nulls: what is missing in the block is told, not the block
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            path.append(step)
            here = here[step]
    return tuple(path)


def _at(path: Path, data: Any) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _shown(path: Path, data: Data) -> str:
    if path and path[-1] == "external_id":
        return "the value (not shown)"
    value = _at(path, data)
    if isinstance(value, (dict, list)):
        return _kind(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"


def _kind(value: Data) -> str:
    if isinstance(value, dict):
        return "a block of keys and values"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value, ensure_ascii=False)


def _model_at(path: Path) -> type[BaseModel] | None:
    """The model class that describes what stands at `path`."""
    current: Any = file_model()
    for step in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(step))
            if field is None:
                return None
            current = field.annotation
        else:
            current = _element_of(current)
        current = _sole_model(current) or current
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _element_of(annotation: Any) -> Any:
    arguments = getattr(annotation, "__args__", ())
    return next((a for a in reversed(arguments) if a is not Ellipsis), None)


def _sole_model(annotation: Any) -> Any:
    """`X | None` and `Annotated[X, …]` → X, where X is a model, dict or tuple."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _sole_model(typing.get_args(annotation)[0]) or typing.get_args(annotation)[0]
    if origin in (dict, tuple):
        return annotation
    options = [a for a in typing.get_args(annotation) if a is not type(None)]
    return _sole_model(options[0]) or options[0] if len(options) == 1 else None


def _fields(path: Path) -> dict[str, FieldInfo]:
    """The fields that may stand in the block at `path`."""
    if path == ("backend",):
        # Which of the two it is to be may be the very thing that is wrong.
        return {**LocalBackend.model_fields, **S3Backend.model_fields}
    model = _model_at(path)
    return dict(model.model_fields) if model else {}


def _known_keys(path: Path) -> tuple[str, ...]:
    return tuple(_fields(path))


def _meaning(path: Path) -> str:
    field = _fields(path[:-1]).get(str(path[-1]))
    meaning = (field.description or "a value").rstrip(".") if field else "a value"
    # It goes on after "expected"; abbreviations stay as they are.
    return meaning if meaning[1:2].isupper() else meaning[:1].lower() + meaning[1:]
