"""Rules between the blocks of an environment file: what components need of each other, of regions and of tags.

What a block may hold by itself is the business of its settings. Components declare what is checked here
(toolkit/components/base.py); none is named.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from toolkit.aws_lists import aws_list
from toolkit.components.base import Component, IamName, Scope
from toolkit.components.registry import REGISTRY
from toolkit.environment.model import EnabledComponent, Environment
from toolkit.environment.source import Data, Path, Problem, Source, data_at, places
from toolkit.regions import GLOBAL_REGION, PARTITION_OF, partition_of
from toolkit.settings.base import Mismatch
from toolkit.settings.tags import NARROW_KEY
from toolkit.typed import dotted
from toolkit.versions import MODULES_ADMIT, admitted, numbers


def named_components(data: dict[str, Data]) -> tuple[str, ...]:
    """Components that a file names, whatever it says of them."""
    blocks = data.get("components")
    return tuple(n for n in REGISTRY if n in blocks) if isinstance(blocks, dict) else ()


def broken(data: dict[str, Data], source: Source) -> list[Problem]:
    """Rules that hold whether or not the blocks are valid by themselves."""
    return [
        problem
        for rule in (
            _missing_needs,
            _inactive_regions,
            _absent_services,
            _unable_regions,
            _inactive_global_region,
            _unusable_tags,
        )
        for problem in rule(data, source)
    ]


def broken_between(enabled: tuple[EnabledComponent, ...], source: Source) -> list[Problem]:
    """Rules about settings that are valid by themselves."""
    return [*_mismatches(enabled, source), *_alike(enabled, source)]


def _missing_needs(data: dict[str, Data], source: Source) -> list[Problem]:
    names = named_components(data)
    needs: list[tuple[Path, str]] = [(("components", name), need) for name in names for need in REGISTRY[name].requires]
    for name in names:
        for setting, need in REGISTRY[name].requires_with:
            path: Path = ("components", name, setting)
            if data_at(path, data) is not None:
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


def _inactive_regions(data: dict[str, Data], source: Source) -> list[Problem]:
    active = _active(data)
    if not active:
        return []
    found = []
    for name in named_components(data):
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
    for name in named_components(data):
        path: Path = ("components", name)
        named = [data_at((*path, setting), data) for setting in ("skipped_regions", "offered_regions")]
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
    for name in named_components(data):
        for setting, problem, unable in REGISTRY[name].unable_in:
            path: Path = ("components", name, setting)
            named = data_at(path, data)
            region = home if named is None else named
            # A region newer than the list is newer than those, too.
            if region in unable or (partition_of(region) and region not in PARTITION_OF):
                place = ("components", name) if named is None else path
                able = [str(r) for r in _active(data) if r in PARTITION_OF and r not in unable]
                expected = f"`{setting}: {able[0]}`" if able else f"`{setting}` and an older region in regions.active"
                found.append(Problem(source.line(place), dotted(place), f"{problem} in {region}", expected))
    return found


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
    for name in named_components(data):
        if REGISTRY[name].scope is Scope.GLOBAL_REGION:
            places.append(("components", name))
        settings = [("components", name, setting) for setting in REGISTRY[name].global_region_with]
        places += [path for path in settings if data_at(path, data) is not None]
    return [
        Problem(
            source.line(path),
            dotted(path),
            f"is possible only in {needed}, which is not active",
            f"{needed} in regions.active",
        )
        for path in places
    ]


def _unusable_tags(data: dict[str, Data], source: Source) -> list[Problem]:
    """Tag keys that one resource cannot have side by side, and those that a component's service does not accept."""
    found = []
    own = [("components", name, *at.split(".")) for name in named_components(data) for at in REGISTRY[name].tags_in]
    for at in (("default_tags",), *own):
        for path, tags in places(at, data):
            seen: dict[str, str] = {}
            for key in tags if isinstance(tags, dict) else ():
                if (first := seen.setdefault(key.lower(), key)) != key:
                    line = source.line((*path, first))
                    problem = f"IAM does not distinguish tag keys by case: {key!r} is {first!r} of line {line}"
                    found.append(Problem(source.line((*path, key)), dotted((*path, key)), problem, "one of them"))
    narrow = [name for name in named_components(data) if REGISTRY[name].narrow_tag_keys]
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


def _active(data: dict[str, Data]) -> list[Data]:
    """The active regions as the file names them; none where it does so wrongly, which is told elsewhere."""
    regions = data.get("regions")
    active = (regions.get("active") or [regions.get("home")]) if isinstance(regions, dict) else []
    return active if isinstance(active, list) else []


def _mismatches(enabled: tuple[EnabledComponent, ...], source: Source) -> list[Problem]:
    settings = {e.component.name: e.settings for e in enabled}
    return [
        _mismatch(e.component, mismatch, source)
        for e in enabled
        if e.component.mismatches is not None
        for mismatch in e.component.mismatches(e.settings, settings)
    ]


def _alike(enabled: tuple[EnabledComponent, ...], source: Source) -> list[Problem]:
    """Names that IAM does not distinguish, whichever components they are of; told at the later one in the file."""
    found: dict[tuple[str, str], list[tuple[int, Path, str]]] = {}
    for e in enabled:
        for declared in e.component.iam_names:
            for path, name in _named_by(e, declared):
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


def iam_names(enabled: tuple[EnabledComponent, ...]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(type, name) of the users, groups, roles and policies that components declare to name → the setting that does."""
    return {
        (declared.resource, name): tuple(map(str, path))
        for e in enabled
        for declared in (*e.component.iam_names, *e.component.names)
        for path, name in _named_by(e, declared)
    }


def _named_by(enabled: EnabledComponent, declared: IamName) -> list[tuple[Path, str]]:
    """(place, name) of what a setting names; see `IamName.setting`."""
    *steps, last = declared.setting.split(".")
    here: Any = enabled.settings
    for step in steps if last == "*" else [*steps, last]:
        here = getattr(here, step, None)
    base: Path = ("components", enabled.component.name, *steps)
    if last == "*":
        return [
            ((*base, key), name)
            for key, value in here.items()
            if value is not None
            for name in declared.names(key, value)
        ]
    return [] if here is None else [((*base, last), name) for name in declared.names(here, here)]


def not_offered(environment: Environment, source: Source) -> list[Problem]:
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


def unusable_provider(environment: Environment, source: Source) -> list[Problem]:
    """A constraint of the AWS provider that has no version in common with the modules': no `init` could select one."""
    constraint = environment.terraform.aws_provider_version
    if not admitted(f"{constraint}, {MODULES_ADMIT}").none:
        return []
    problem = f'"{constraint}" admits no version that the modules do'
    expected = f'versions within "{MODULES_ADMIT}", like "~> 5.100" or "~> 6.0"'
    return [Problem(source.line(_CONSTRAINT), dotted(_CONSTRAINT), problem, expected)]


def needs_newer_provider(environment: Environment, source: Source) -> list[Problem]:
    """Settings for which the environment's constraint of the AWS provider admits versions that are too old."""
    constraint = environment.terraform.aws_provider_version
    bounds, place = admitted(constraint), environment.place
    found = []
    for e in environment.components:
        for needed in e.component.newer_provider:
            steps = needed.setting.split(".")
            if not reduce(getattr, steps, e.settings):
                continue
            if needed.regions and e.component.compose and not e.component.compose(e.settings, place)[needed.regions]:
                continue
            major = numbers(needed.version)[0]
            problem, accepted = "", f'"~> {major}.0"'
            if bounds.lowest < (major, 0, 0):
                problem = f'and "{constraint}" admits versions below {major}'
            elif not bounds.reaches(needed.version):
                problem, accepted = f'and "{constraint}" admits none', f'"~> {needed.version}"'
            if problem:
                path: Path = ("components", e.component.name, *steps)
                problem = f"needs version {needed.version} or a later one of the AWS provider, {problem}"
                at = f" (line {source.lines[_CONSTRAINT]})" if _CONSTRAINT in source.lines else ""
                expected = f"`aws_provider_version: {accepted}` under `terraform`{at}"
                found.append(Problem(source.line(path), dotted(path), problem, expected))
    return found


_CONSTRAINT: Path = ("terraform", "aws_provider_version")


def _mismatch(component: Component, mismatch: Mismatch, source: Source) -> Problem:
    path: Path = ("components", component.name, *mismatch.setting)
    return Problem(source.line(path), dotted(path), mismatch.problem, mismatch.expected, mismatch.guess)
