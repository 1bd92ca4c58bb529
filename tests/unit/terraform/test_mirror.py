from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from toolkit.errors import RefusedError, ToolkitError
from toolkit.terraform.mirror import choose, cli_config

AWS = "registry.terraform.io/hashicorp/aws"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "XDG_DATA_DIRS": str(home / "nowhere")}


def mirror_at(path: Path) -> Path:
    (path / AWS).mkdir(parents=True)
    return path


def test_the_explicit_mirror_comes_first(tmp_path: Path, environ: dict[str, str]) -> None:
    explicit, variable = mirror_at(tmp_path / "explicit"), mirror_at(tmp_path / "variable")
    environ["TOOLKIT_PROVIDER_MIRROR"] = str(variable)

    assert choose(explicit, environ).mirror == explicit
    assert choose(None, environ).mirror == variable


def test_the_users_own_installation_rules_are_left_alone(tmp_path: Path, environ: dict[str, str], home: Path) -> None:
    (home / ".terraformrc").write_text("provider_installation {\n  direct {}\n}\n")
    mirror_at(tmp_path / "opt" / "m")

    assert choose(None, environ, tmp_path / "opt").mirror is None
    assert cli_config(None, environ, tmp_path / "scratch") == {}
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(
    "text", ["# provider_installation { }\n", '/* provider_installation {} */ credentials "provider_installation" { }']
)
def test_a_comment_or_a_string_is_no_rule(tmp_path: Path, environ: dict[str, str], home: Path, text: str) -> None:
    (home / ".terraformrc").write_text(text)
    mirror_at(tmp_path / "opt" / "m")

    assert choose(None, environ, tmp_path / "opt").mirror == tmp_path / "opt" / "m"


def test_a_folder_that_terraform_searches_itself_is_left_to_it(
    tmp_path: Path, environ: dict[str, str], home: Path
) -> None:
    mirror_at(home / ".terraform.d" / "plugins")
    mirror_at(tmp_path / "opt" / "m")

    assert choose(None, environ, tmp_path / "opt").mirror is None


def test_a_found_mirror_serves_only_what_it_holds(tmp_path: Path, environ: dict[str, str]) -> None:
    found = mirror_at(tmp_path / "opt" / "m")
    source = choose(None, environ, tmp_path / "opt")

    assert source.mirror == found
    assert source.include == (AWS,)


def test_without_any_mirror_the_registry_is_asked(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "opt" / "m" / "registry.terraform.io").mkdir(parents=True)  # holds no AWS provider

    assert choose(None, environ, tmp_path / "opt").why == "the public registry"


@pytest.mark.parametrize(("make", "problem"), [(False, "is no folder"), (True, "holds no folder")])
def test_a_named_mirror_must_be_one(tmp_path: Path, environ: dict[str, str], make: bool, problem: str) -> None:
    path = tmp_path / "m"
    if make:
        path.mkdir()
    environ["TOOLKIT_PROVIDER_MIRROR"] = str(path)

    with pytest.raises(ToolkitError, match=problem) as caught:
        choose(None, environ)
    assert "TOOLKIT_PROVIDER_MIRROR" in str(caught.value)


def test_the_written_file_is_the_users_plus_the_mirror(tmp_path: Path, environ: dict[str, str], home: Path) -> None:
    (home / ".terraformrc").write_text(
        'credentials "example.com" {\n  token = "}"\n}\nprovider_installation {\n  direct {}\n}\n'
        'plugin_cache_dir = "/c"\n'
    )
    (home / ".terraform.d").mkdir()
    (home / ".terraform.d" / "extra.tfrc").write_text("disable_checkpoint = true\n")
    mirror = mirror_at(tmp_path / 'odd "${x}" name')
    added = cli_config(mirror, environ, tmp_path / "scratch")
    file = Path(added["TF_CLI_CONFIG_FILE"])
    text = file.read_text()

    assert text.startswith('credentials "example.com" {\n  token = "}"\n}\n')
    assert text.count("provider_installation") == 1
    assert 'plugin_cache_dir = "/c"' in text
    assert "disable_checkpoint = true" in text
    assert '/odd \\"$${x}\\" name"' in text
    assert 'exclude = ["registry.terraform.io/*/*", "registry.opentofu.org/*/*"]' in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_variable_that_names_a_missing_file_counts_as_no_configuration(
    tmp_path: Path, environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".terraformrc").write_text("provider_installation {}\n")
    environ["TF_CLI_CONFIG_FILE"] = str(home / "missing")
    mirror = mirror_at(tmp_path / "m")

    # Terraform would not read ~/.terraformrc either while the variable is set.
    assert (
        "provider_installation {}" not in Path(cli_config(mirror, environ, tmp_path)["TF_CLI_CONFIG_FILE"]).read_text()
    )
    monkeypatch.setattr("toolkit.terraform.mirror.choose", lambda *_: choose(None, environ, tmp_path / "no-opt"))
    assert cli_config(None, environ, tmp_path) == {"TF_CLI_CONFIG_FILE": os.devnull}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            ".terraformrc",
            'provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "/src"\n  }\n  direct {}\n}\n',
        ),
        (".terraform.d/mine.tfrc", 'provider_installation { dev_overrides { "hashicorp/aws" = "/src" } }'),
        (".terraform.d/login.tfrc.json", '{"provider_installation": [{"dev_overrides": {"hashicorp/aws": "/src"}}]}'),
    ],
)
def test_providers_under_development_are_refused(
    tmp_path: Path, environ: dict[str, str], home: Path, name: str, text: str
) -> None:
    mirror_at(home / ".terraform.d" / "plugins")  # so that the choice is Terraform's on every machine
    file = home / name
    file.write_text(text)
    with pytest.raises(RefusedError, match="no lock file vouches for") as caught:
        cli_config(None, environ, tmp_path / "scratch")
    assert caught.value.where == str(file)

    elsewhere = tmp_path / "other.tfrc"
    elsewhere.write_text("# dev_overrides\ndisable_checkpoint = true\n")
    assert cli_config(None, {**environ, "TF_CLI_CONFIG_FILE": str(elsewhere)}, tmp_path / "scratch") == {}


def test_a_mirror_of_ours_takes_the_place_of_overrides(tmp_path: Path, environ: dict[str, str], home: Path) -> None:
    (home / ".terraformrc").write_text('provider_installation { dev_overrides { "hashicorp/aws" = "/src" } }')
    mirror = tmp_path / "mirror"
    (mirror / "registry.terraform.io").mkdir(parents=True)
    written = cli_config(mirror, environ, tmp_path / "scratch")["TF_CLI_CONFIG_FILE"]
    assert "dev_overrides" not in Path(written).read_text()
