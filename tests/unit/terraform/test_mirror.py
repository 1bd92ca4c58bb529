from __future__ import annotations

import builtins
import errno
import io
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RefusedError, ToolkitError
from toolkit.terraform.mirror import Product, choose, cli_config, plugin_cache

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


@pytest.mark.parametrize(("make", "problem"), [(False, "is not a folder"), (True, "holds no folder")])
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
    monkeypatch.setattr("toolkit.terraform.mirror.choose", lambda *_, **__: choose(None, environ, tmp_path / "no-opt"))
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


RC, TOFU, XDG = ".terraformrc", ".tofurc", ".config/opentofu/tofurc"
IN_FOLDER, IN_XDG = ".terraform.d/a.tfrc", ".config/opentofu/a.tfrc"


@pytest.mark.parametrize(
    ("there", "product", "read"),
    [
        ((RC, TOFU, XDG, IN_FOLDER, IN_XDG), "terraform", {RC, IN_FOLDER}),
        ((TOFU, XDG, IN_XDG), "terraform", set()),
        ((RC, TOFU, XDG, IN_FOLDER, IN_XDG), "opentofu", {TOFU, IN_FOLDER}),
        ((RC, XDG, IN_XDG), "opentofu", {RC, IN_XDG}),
        ((TOFU, XDG), "opentofu", {TOFU}),
        ((XDG, IN_FOLDER), "opentofu", {XDG, IN_FOLDER}),
    ],
)
def test_each_product_reads_its_own_configuration(
    tmp_path: Path, environ: dict[str, str], home: Path, there: tuple[str, ...], product: Product, read: set[str]
) -> None:
    mirror_at(home / "data" / "terraform" / "plugins")  # so that the choice is Terraform's on every machine
    environ |= {"XDG_CONFIG_HOME": str(home / ".config"), "XDG_DATA_HOME": str(home / "data")}
    for name in there:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    for name in there:
        (home / name).write_text('provider_installation { dev_overrides { "hashicorp/aws" = "/src" } }')
        if name in read:
            with pytest.raises(RefusedError) as caught:
                cli_config(None, environ, tmp_path / "scratch", product=product)
            assert caught.value.where == str(home / name)
        else:
            assert cli_config(None, environ, tmp_path / "scratch", product=product) == {}
        (home / name).write_text("")


OVERRIDES = '"hashicorp/aws" = "/src"'
HIDDEN = {
    "a quoted key": f'provider_installation {{ "dev_overrides" {{ {OVERRIDES} }} }}',
    "an escape": f'provider_installation {{ "dev_\\u006fverrides" {{ {OVERRIDES} }} }}',
    "an octal escape": f'provider_installation {{ "dev_\\157verrides" {{ {OVERRIDES} }} }}',
    "a quoted block": f'"provider_installation" {{ dev_overrides {{ {OVERRIDES} }} }}',
    "JSON": '{"provider_installation": [{"dev_overrides": [{"hashicorp/aws": "/src"}]}]}',
    "JSON with an escape": '{"provider_installation": [{"dev_\\u006fverrides": [{"hashicorp/aws": "/src"}]}]}',
    "JSON with escapes": '{"provider_install\\u0061tion": [{"dev\\u005foverrides": [{"hashicorp/aws": "/src"}]}]}',
    "JSON without lists": '{"provider_installation": {"dev_overrides": {"hashicorp/aws": "/src"}}}',
    "JSON with the same key twice": '{"provider_installation": {"dev_overrides": {"hashicorp/aws": "/src"}}, '
    '"provider_installation": {"direct": {}}}',
    "JSON behind spaces": '\n\t {"provider_installation": [{"dev_overrides": [{"hashicorp/aws": "/src"}]}]}',
    "heredocs with quotes around it": 'x = <<EOF\n"\nEOF\n'
    f'provider_installation {{ dev_overrides {{ {OVERRIDES} }} }}\ny = <<EOF\n"\nEOF\n',
    "a quote in a template": f'x = "${{"}}" provider_installation {{ dev_overrides {{ {OVERRIDES} }} }}',
    "a quote in a comment": f'/* " */ provider_installation {{ dev_overrides {{ {OVERRIDES} }} }} # "',
    "a sign of a comment in a string": f'x = "/*" provider_installation {{ dev_overrides {{ {OVERRIDES} }} }} y = "*/"',
    "no space": f"x = 1provider_installation{{dev_overrides{{{OVERRIDES}}}}}",
}
HARMLESS = {
    "a comment": "# dev_overrides\n// dev_overrides\n/* dev_overrides */ disable_checkpoint = true\n",
    "a comment with a quote": 'provider_installation {\n  # "dev_overrides" {\n  direct {}\n}\n',
    "a longer word": 'x = "my-dev_overrides"\nhost "dev-overrides.example.com" {}\n',
    "text": "x = <<EOF\ndev_overrides\nEOF\n",
    "JSON": '{"disable_checkpoint": true, "credentials": {"example.com": {"token": "dev_overrides "}}}',
    "nothing": "",
}


@pytest.mark.parametrize("how", HIDDEN)
@pytest.mark.parametrize("name", ["own.tfrc", "own.json", "rc"])
def test_no_spelling_hides_an_override(tmp_path: Path, environ: dict[str, str], how: str, name: str) -> None:
    file = tmp_path / name
    file.write_text(HIDDEN[how])
    with pytest.raises(RefusedError, match="no lock file vouches for") as caught:
        cli_config(None, {**environ, "TF_CLI_CONFIG_FILE": str(file)}, tmp_path / "scratch")
    assert caught.value.where == str(file)
    # In place of a mirror of ours nothing of it remains either.
    mirror = mirror_at(tmp_path / "mirror")
    written = cli_config(mirror, {**environ, "TF_CLI_CONFIG_FILE": str(file)}, tmp_path / "scratch")
    text = Path(written["TF_CLI_CONFIG_FILE"]).read_text()
    assert text.count("provider_installation") == 1
    assert "/src" not in text


@pytest.mark.parametrize("how", HARMLESS)
def test_a_word_that_is_no_override_is_none(tmp_path: Path, environ: dict[str, str], how: str) -> None:
    mirror_at(tmp_path / "home" / ".terraform.d" / "plugins")
    (file := tmp_path / "rc").write_text(HARMLESS[how])
    assert cli_config(None, {**environ, "TF_CLI_CONFIG_FILE": str(file)}, tmp_path / "scratch") == {}


def test_the_variable_means_the_same_file_to_us_as_to_terraform(
    tmp_path: Path, environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    (home / "own.tfrc").write_text(HIDDEN["a quoted key"])
    for path in ("~/own.tfrc", "own.tfrc", "./own.tfrc"):
        with pytest.raises(RefusedError):
            cli_config(None, {**environ, "TF_CLI_CONFIG_FILE": path}, tmp_path / "scratch")


@pytest.mark.parametrize(
    "text",
    [
        '"provider_installation" {\n  direct {}\n}\n',
        '{"provider_installation": {"direct": {}}}',
        '{"provider_install\\u0061tion": {"direct": {}}}',
    ],
)
def test_rules_in_any_spelling_are_the_users_own(
    tmp_path: Path, environ: dict[str, str], home: Path, text: str
) -> None:
    (home / ".terraformrc").write_text(text)
    mirror_at(tmp_path / "opt" / "m")
    assert (
        choose(None, environ, tmp_path / "opt").why == "provider_installation in your own Terraform CLI configuration"
    )


@pytest.mark.parametrize("text", ['x = "a\nb"', "provider_installation { ; }", '{"a": "b', "x = <<EOF\nnever ends"])
def test_what_terraform_cannot_read_is_an_error(tmp_path: Path, environ: dict[str, str], home: Path, text: str) -> None:
    (home / ".terraformrc").write_text(text)
    with pytest.raises(ToolkitError, match="is not a Terraform CLI configuration: line 1") as caught:
        cli_config(None, environ, tmp_path / "scratch")
    assert caught.value.where == str(home / ".terraformrc")


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes everything below a folder unreachable, for root, too."""

    def forbid(folder: Path) -> None:
        def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(path: Any, *more: Any, **named: Any) -> Any:
                if isinstance(path, str | Path) and Path(path).is_relative_to(folder):
                    raise PermissionError(errno.EACCES, "Permission denied", str(path))
                return real(path, *more, **named)

            return call

        for module, name in ((os, "stat"), (os, "scandir"), (io, "open"), (builtins, "open")):
            monkeypatch.setattr(module, name, refusing(getattr(module, name)))

    return forbid


def test_a_home_of_another_user_is_as_none(
    tmp_path: Path, environ: dict[str, str], home: Path, forbidden: Callable[[Path], None]
) -> None:
    (home / ".terraformrc").write_text("provider_installation { }")
    mirror_at(home / ".terraform.d" / "plugins")
    (tmp_path / "opt").mkdir()
    forbidden(home)
    assert choose(None, environ, tmp_path / "opt").why == "the public registry"


def test_a_configuration_that_may_not_be_read_is_named(
    tmp_path: Path, environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".terraformrc").write_text("")

    def refuse(path: Path, **_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ToolkitError, match="cannot be read: Permission denied") as caught:
        cli_config(None, environ, tmp_path / "scratch")
    assert caught.value.where == str(home / ".terraformrc")
    assert "TF_CLI_CONFIG_FILE" in str(caught.value.hint)


@pytest.mark.terraform
def test_terraform_itself_reads_these_so(tmp_path: Path, terraform_binary: Path) -> None:
    """It warns of overrides that are in effect; what it cannot read is an error. Either way, it must not be quiet."""
    (tmp_path / "main.tf").write_text('output "x" {\n  value = 1\n}\n')
    for how, text in {**HIDDEN, **{f"harmless: {how}": text for how, text in HARMLESS.items()}}.items():
        (file := tmp_path / "rc").write_text(text)
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(file)}
        command = [str(terraform_binary), "plan", "-no-color", "-input=false"]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        if how in ("JSON without lists", "JSON with the same key twice"):  # an error to it, and it goes on without
            assert "problems with the CLI configuration" in said, how
        else:
            assert ("overrides are in effect" in said) != how.startswith("harmless"), f"{how}: {said}"
            assert "problems with the CLI configuration" not in said, f"{how}: {said}"


@pytest.mark.parametrize(
    ("variable", "text", "cache"),
    [
        ("/cache", 'plugin_cache_dir = "/other"', "/cache"),
        ("", 'plugin_cache_dir = "/other"', "/other"),
        ("", 'disable_checkpoint = true\nplugin_cache_dir="$SOMEWHERE/cache" # here', "/there/cache"),
        ("", '{"plugin_cache_dir": "/other"}', "/other"),
        ("", '# plugin_cache_dir = "/other"', None),
        ("", 'host "x" { plugin_cache_dir = "/other" }', None),
        ("", "", None),
    ],
)
def test_the_provider_cache_is_where_terraform_has_it(
    environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, cache: str | None
) -> None:
    (home / ".terraformrc").write_text(text)
    monkeypatch.setenv("SOMEWHERE", "/there")
    found = plugin_cache(environ | {"TF_PLUGIN_CACHE_DIR": variable})
    assert found == (None if cache is None else Path(cache))
