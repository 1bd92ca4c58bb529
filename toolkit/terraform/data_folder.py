"""What Terraform has noted down about a root in its data folder, and follows at the next command without asking again.

In: the data folder (TF_DATA_DIR). Out: nothing, or an error for a note that leads elsewhere than the root says. Writes
nothing.

Two of its notes decide what is planned and where it is kept. `modules/modules.json` says in which folder each module
is: Terraform compares a note's source with the code, and takes the code from its folder, whatever that is; `init` keeps
such a note, too. `terraform.tfstate` says what the backend is: while the hash beside it is that of the code, its own
values are used (both tried with Terraform 1.11.4). Who can write or commit them could have other code applied than was
reviewed, or have it planned on another state.

Terraform's JSON reader takes the last of two keys that differ in case only; here such files are refused.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from toolkit.errors import ToolkitError
from toolkit.files import read_regular
from toolkit.paths import MODULES
from toolkit.typed import same_json

_HINT = "delete this file, and Terraform recreates it with the next command; find out who changed it"
_MODULE_KEYS = {"Key", "Source", "Dir"}


def modules_file(data: Path) -> Path:
    """Where Terraform notes in which folder each module is."""
    return data / "modules" / "modules.json"


def backend_file(data: Path) -> Path:
    """Where Terraform notes what the backend is."""
    return data / "terraform.tfstate"


def check_sources(data: Path) -> None:
    """Demand that every module is where its caller's `source` says, in the project itself.

    That a note's source is that of the code, Terraform sees to.

    Raises:
        ToolkitError: One is elsewhere, or comes from a registry or a repository, so that it was not reviewed here; or
            providers would come from folders that `init -plugin-dir` has once been given.
    """
    if (data / "plugin_path").exists():
        raise ToolkitError(
            "Terraform would take providers from the folders that this file names",
            where=str(data / "plugin_path"),
            hint=_HINT,
        )
    file = modules_file(data)
    content = _read(file)
    if content is None:
        return
    modules = content.get("Modules")
    if set(content) != {"Modules"} or not isinstance(modules, list):
        _unreadable(file, "not the list of modules that Terraform writes")
    folders: dict[str, str] = {}
    # Callers before what they call: a key is that of the caller, a dot and the label.
    for module in sorted(modules, key=_depth):
        if not isinstance(module, dict) or set(module) - {"Version"} != _MODULE_KEYS:
            _unreadable(file, "not the list of modules that Terraform writes")
        key, source, folder = module["Key"], module["Source"], module["Dir"]
        if not all(isinstance(value, str) for value in (key, source, folder)) or key in folders:
            _unreadable(file, "not the list of modules that Terraform writes")
        folders[key] = _folder(file, key, source, folders)
        if folder != folders[key]:
            raise ToolkitError(
                f"module {key or 'root'} would be read from {folder!r} instead of {folders[key]!r}, as its source says",
                where=str(file),
                hint=_HINT,
            )


def _depth(module: Any) -> int:
    """How many calls lead to a module; 0 for the root."""
    key = module.get("Key") if isinstance(module, dict) else None
    return len(str(key).split(".")) if key else 0


def _folder(file: Path, key: str, source: str, folders: Mapping[str, str]) -> str:
    """The folder of a module, as Terraform writes it: seen from the root."""
    if key == "":
        return "."
    caller, dot, _ = key.rpartition(".")
    if caller not in folders or (dot and not caller):
        _unreadable(file, f"module {key} has no caller")
    if not source.startswith(("./", "../")):
        raise ToolkitError(
            f"module {key} is loaded from {source!r}, not from the project: its contents were not reviewed here",
            where=str(file),
            hint="put it into modules/ and call it by its path; then delete this file, which Terraform recreates",
        )
    folder = posixpath.normpath(posixpath.join(folders[caller], source))
    if not folder.startswith(f"{MODULES}/") or ".terraform" in folder.split("/"):
        raise ToolkitError(
            f"module {key} is called from {folder}, which no plan's digest covers",
            where=str(file),
            hint="put it into modules/ (into no folder .terraform); then delete this file, which Terraform recreates",
        )
    return folder


def check_backend(data: Path, kind: str, arguments: Mapping[str, Any]) -> None:
    """Demand that the backend is the one that the root names.

    Args:
        data: Terraform's data folder.
        kind: "local" or "s3".
        arguments: The backend block's arguments; those that it leaves out have no value in the note.

    Raises:
        ToolkitError: It is another one, or has another argument.
    """
    file = backend_file(data)
    content = _read(file)
    if content is None:
        return
    backend = content.get("backend")
    if not isinstance(backend, dict) or not isinstance(backend.get("config"), dict):
        _unreadable(file, "not the record of a backend that Terraform writes")
    if backend.get("type") != kind:
        raise ToolkitError(
            f"the state would be kept in a backend {backend.get('type')!r} instead of {kind!r}",
            where=str(file),
            hint=_HINT,
        )
    found = _set(backend["config"])
    for name in sorted({*found, *arguments}):
        if not same_json(found.get(name), arguments.get(name)):
            raise ToolkitError(
                f"the state would be kept elsewhere: the backend's {name} is {json.dumps(found.get(name))} instead of "
                f"{json.dumps(arguments.get(name))}",
                where=str(file),
                hint=_HINT,
            )


def _set(config: Mapping[str, Any]) -> dict[str, Any]:
    """What has a value: Terraform notes null for each argument that is not given."""
    pairs = ((name, _set(value) if isinstance(value, dict) else value) for name, value in config.items())
    return {name: value for name, value in pairs if value is not None}


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(read_regular(file, follow=False), object_pairs_hook=_once)
    except FileNotFoundError:
        return None
    except OSError as e:
        _unreadable(file, f"cannot be read: {e.strerror}")
    except (ValueError, RecursionError) as e:
        _unreadable(file, f"not the JSON that Terraform writes: {e}")
    if not isinstance(content, dict):
        _unreadable(file, "not the JSON that Terraform writes")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len({name.casefold() for name in found}) < len(pairs):
        raise ValueError("a key is repeated")
    return found


def _unreadable(file: Path, problem: str) -> NoReturn:
    raise ToolkitError(problem, where=str(file), hint=_HINT)
