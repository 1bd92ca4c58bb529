"""Decides where Terraform gets its providers from when the public registry is not the answer.

In: an explicit mirror or None, the environment, a folder for a generated file. Out: environment variables to add.
The order: an explicit mirror, TOOLKIT_PROVIDER_MIRROR, the user's own CLI configuration if it says anything about
provider installation, Terraform's implied mirror folders, a `registry.terraform.io` one level below /opt, the registry.
CLI configuration: https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.errors import RefusedError, ToolkitError
from toolkit.terraform.cli_file import CliFile, UnreadableError, parse
from toolkit.variables import admit

VARIABLE = "TOOLKIT_PROVIDER_MIRROR"
_HOSTS = ("registry.terraform.io", "registry.opentofu.org")
_PROVIDER = Path("hashicorp") / "aws"
_SUFFIXES = (".tfrc", ".json")
_INSTALLATION = "provider_installation"

Product = Literal["terraform", "opentofu"]


@dataclass(frozen=True)
class Source:
    """Where providers come from."""

    mirror: Path | None
    """Folder that we tell Terraform to use; None leaves the choice to Terraform."""

    why: str
    """A phrase for people: what decided."""

    include: tuple[str, ...] = ()
    """Provider patterns that come from the mirror and from nowhere else."""


def choose(
    mirror: Path | None,
    environ: Mapping[str, str],
    system: Path = Path("/opt"),
    *,
    product: Product = "terraform",
) -> Source:
    """Where providers come from, decided without writing anything.

    Args:
        mirror: The mirror that is named explicitly.
        environ: The user's environment.
        system: Where conventional places are looked for.
        product: Which of the two runs: each has a CLI configuration of its own.

    Raises:
        ToolkitError: A mirror that was named is no folder or holds no `registry.terraform.io`.
    """
    if mirror is not None:
        return _named(mirror, "the provider mirror setting")
    if environ.get(VARIABLE):
        return _named(Path(environ[VARIABLE]).expanduser(), VARIABLE)
    if any(
        setting.name == _INSTALLATION for _, _, found in _user_config(environ, product) for setting in found.settings
    ):
        return Source(None, "provider_installation in your own Terraform CLI configuration")
    for folder in _implied(admit(environ)):
        if _is_folder(folder / _HOSTS[0] / _PROVIDER):
            return Source(None, f"Terraform's own mirror folder {folder}")
    for registry in sorted(system.glob(f"*/{_HOSTS[0]}")):
        if _is_folder(registry / _PROVIDER):
            # Found, not asked for: only what it holds is taken from it, everything else still has the registry.
            held = tuple(sorted(f"{_HOSTS[0]}/{p.parent.name}/{p.name}" for p in registry.glob("*/*") if p.is_dir()))
            return Source(registry.parent, "found in a conventional place", held)
    return Source(None, "the public registry")


def cli_config(
    mirror: Path | None, environ: Mapping[str, str], scratch: Path, *, product: Product = "terraform"
) -> dict[str, str]:
    """Variables to add to Terraform's environment, with a generated CLI configuration in `scratch` where one is needed.

    The generated file is the user's own configuration with the provider installation replaced; mode 0600, because
    that may hold registry tokens.

    Raises:
        ToolkitError: As `choose`.
        RefusedError: The user's own configuration, which would be in effect, replaces providers by unverified ones.
    """
    source = choose(mirror, environ, product=product)
    if source.mirror is None:
        _refuse_overrides(environ, product)
        # A variable that names a missing file only makes Terraform print a warning before everything else.
        named = admit(environ).get("TF_CLI_CONFIG_FILE")
        return {"TF_CLI_CONFIG_FILE": os.devnull} if named and not Path(named).is_file() else {}
    # Files in JSON (`terraform login` writes one) cannot be joined to the text and are left out; Terraform finds the
    # tokens in credentials.tfrc.json in any case.
    files = _user_config(environ, product)
    config = "\n".join(_without_installation(text, found) for _, text, found in files if not found.json)
    patterns = json.dumps(list(source.include))
    # JSON string escapes are HCL's, except for the two template openers.
    path = json.dumps(str(source.mirror.resolve())).replace("${", "$${").replace("%{", "%%{")
    text = (
        (f"{config.rstrip()}\n\n" if config.strip() else "")
        + f"""provider_installation {{
  filesystem_mirror {{
    path    = {path}
    include = {patterns}
  }}
  direct {{
    exclude = {patterns}
  }}
}}
"""
    )
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=scratch, prefix="cli-config")  # 0600 by definition
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    target = scratch / "terraform.rc"
    Path(temporary).replace(target)
    return {"TF_CLI_CONFIG_FILE": str(target.resolve())}


def plugin_cache(environ: Mapping[str, str], *, product: Product = "terraform") -> Path | None:
    """The folder in which Terraform keeps providers for all roots, if it is told to keep any.

    It does not lock it: "The plugin cache directory is not guaranteed to be concurrency safe"
    (https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache). The variable comes before
    the configuration.

    Raises:
        ToolkitError: The user's own configuration cannot be read.
    """
    named = admit(environ).get("TF_PLUGIN_CACHE_DIR")
    if not named:
        settings = [s for _, _, found in _user_config(environ, product) for s in found.settings]
        named = next((s.value for s in settings if s.name == "plugin_cache_dir" and s.value), None)
    return Path(os.path.expandvars(named)) if named else None


def _is_file(path: Path) -> bool:
    """False also where a folder above may not be entered (HOME of another user), for which pathlib raises."""
    return os.path.isfile(path)  # noqa: PTH113


def _is_folder(path: Path) -> bool:
    """As `_is_file`."""
    return os.path.isdir(path)  # noqa: PTH112


def _user_config(environ: Mapping[str, str], product: Product) -> list[tuple[Path, str, CliFile]]:
    """The user's own CLI configuration, file by file, as Terraform or OpenTofu would find and read it.

    Raises:
        ToolkitError: Terraform could not read one.
    """
    return [(file, *_read(file)) for file in _user_files(admit(environ), product)]


def _user_files(environ: Mapping[str, str], product: Product) -> list[Path]:
    """…/cli/config/config-file#locations and https://opentofu.org/docs/cli/config/config-file#locations."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    if named:
        return [Path(named)] if _is_file(Path(named)) else []
    home = Path(environ.get("HOME") or "~").expanduser()
    first, folder = home / ".terraformrc", home / ".terraform.d"
    if product == "opentofu":
        own = Path(environ["XDG_CONFIG_HOME"]) / "opentofu" if environ.get("XDG_CONFIG_HOME") else None
        if _is_file(home / ".tofurc"):
            first = home / ".tofurc"
        elif own is not None and not _is_file(first):
            first = own / "tofurc"
        if own is not None and not _is_folder(folder):
            folder = own
    more = (f for f in folder.glob("*.tfrc*") if f.suffix in _SUFFIXES) if _is_folder(folder) else ()
    return [file for file in (first, *sorted(more)) if _is_file(file)]


def _read(file: Path) -> tuple[str, CliFile]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
        return text, parse(text)
    except OSError as e:
        raise ToolkitError(
            f"the Terraform CLI configuration cannot be read: {e.strerror}",
            where=str(file),
            hint=f"make it readable, or name another one in TF_CLI_CONFIG_FILE ({os.devnull} for none)",
        ) from e
    except UnreadableError as e:
        raise ToolkitError(
            f"is not a Terraform CLI configuration: {e}",
            where=str(file),
            hint=f"fix it, or name another configuration in TF_CLI_CONFIG_FILE ({os.devnull} for none)",
        ) from e


def _without_installation(text: str, found: CliFile) -> str:
    for setting in reversed(found.settings):
        if setting.name == _INSTALLATION:
            text = text[: setting.start] + text[setting.end :]
    return text


def _refuse_overrides(environ: Mapping[str, str], product: Product) -> None:
    """`dev_overrides` makes Terraform run whatever is in a folder, at every command, whatever the lock file says."""
    for file, _, found in _user_config(environ, product):
        if "dev_overrides" in found.names:
            raise RefusedError(
                "dev_overrides would have Terraform run a provider that no lock file vouches for",
                where=str(file),
                hint="take it out, or name another configuration in TF_CLI_CONFIG_FILE "
                f"({os.devnull} for none); what is applied must be what was reviewed",
            )


def _named(mirror: Path, by: str) -> Source:
    if not any((mirror / host).is_dir() for host in _HOSTS):
        problem = "holds no folder `registry.terraform.io`" if mirror.is_dir() else "is not a folder"
        raise ToolkitError(
            f"the provider mirror {problem}",
            where=f"{mirror} ({by})",
            hint="Fill one with `terraform providers mirror DIR`, and name DIR itself.",
        )
    return Source(mirror, by, tuple(f"{host}/*/*" for host in _HOSTS))


def _implied(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders that Terraform searches by itself: …/cli/config/config-file#implied-local-mirror-directories."""
    home = Path(environ.get("HOME") or "~").expanduser()
    yield home / ".terraform.d" / "plugins"
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "io.terraform" / "plugins"
        yield Path("/Library/Application Support/io.terraform/plugins")
        return
    yield Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "terraform" / "plugins"
    for folder in (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(folder) / "terraform" / "plugins"
