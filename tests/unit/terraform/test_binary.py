from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.terraform.binary import find_binary


def script(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_terraform_is_found_on_the_given_path_and_behind_warnings(tmp_path: Path) -> None:
    path = script(tmp_path, "terraform", "echo '│ Warning: Unable to open'; echo 'Terraform v1.11.4'; echo on linux")
    found = find_binary("terraform", {"PATH": str(tmp_path)})

    assert (found.path, found.product, found.version) == (path, "terraform", "1.11.4")


def test_opentofu_is_told_from_terraform_by_what_it_says(tmp_path: Path) -> None:
    path = script(tmp_path, "terraform", "echo 'OpenTofu v1.10.0-rc1'")
    found = find_binary(str(path), {})

    assert (found.product, found.version) == ("opentofu", "1.10.0-rc1")


def test_the_version_check_does_not_call_home(tmp_path: Path) -> None:
    script(tmp_path, "terraform", '[ "$CHECKPOINT_DISABLE" = 1 ] && echo "Terraform v1.12.0"')

    assert find_binary("terraform", {"PATH": str(tmp_path)}).version == "1.12.0"


def test_arguments_for_other_commands_do_not_reach_the_version_check(tmp_path: Path) -> None:
    script(tmp_path, "terraform", '[ -z "$TF_CLI_ARGS$TF_CLI_ARGS_version" ] && echo "Terraform v1.12.0"')
    environ = {"PATH": str(tmp_path), "TF_CLI_ARGS": "-target=x", "TF_CLI_ARGS_version": "-x"}

    assert find_binary("terraform", environ).version == "1.12.0"


@pytest.mark.parametrize("body", ["echo 'Terraform v1.9.8'", "echo 'Terraform v0.13.7'"])
def test_an_old_one_is_refused(tmp_path: Path, body: str) -> None:
    script(tmp_path, "terraform", body)

    with pytest.raises(ToolkitError, match=r"is too old: 1\.10 or newer"):
        find_binary("terraform", {"PATH": str(tmp_path)})


@pytest.mark.parametrize("version", ["1.16.0", "1.16.0-rc1"])
def test_the_release_that_drops_imports_is_refused(tmp_path: Path, version: str) -> None:
    script(tmp_path, "terraform", f"echo 'Terraform v{version}'")

    with pytest.raises(
        ToolkitError, match=rf"Terraform {version} drops import blocks.*terraform/issues/39068"
    ) as caught:
        find_binary("terraform", {"PATH": str(tmp_path)})
    assert "1.15.9" in str(caught.value.hint)


@pytest.mark.parametrize("says", ["Terraform v1.16.1", "Terraform v1.15.9", "Terraform v1.15.0", "OpenTofu v1.16.0"])
def test_no_other_release_is(tmp_path: Path, says: str) -> None:
    script(tmp_path, "terraform", f"echo '{says}'")

    assert find_binary("terraform", {"PATH": str(tmp_path)}).version == says.split(" v")[1]


def test_an_absent_one_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="`terraform` is not on PATH") as caught:
        find_binary("terraform", {"PATH": str(tmp_path)})

    assert "https://developer.hashicorp.com/terraform/install" in str(caught.value.hint)
    assert "choose it" not in str(caught.value.hint)


def test_the_other_product_is_offered_if_it_is_there(tmp_path: Path) -> None:
    script(tmp_path, "tofu", "echo 'OpenTofu v1.10.0'")

    with pytest.raises(ToolkitError) as caught:
        find_binary("terraform", {"PATH": str(tmp_path)})
    assert "`tofu` is there" in str(caught.value.hint)


def test_a_path_must_be_an_executable_file(tmp_path: Path) -> None:
    plain = tmp_path / "terraform"
    plain.write_text("text")

    with pytest.raises(ToolkitError, match="is not executable"):
        find_binary(str(plain), {})
    with pytest.raises(ToolkitError, match="no such file"):
        find_binary(str(tmp_path / "nothing"), {})


def test_another_program_is_refused(tmp_path: Path) -> None:
    script(tmp_path, "terraform", "echo hello")

    with pytest.raises(ToolkitError, match="neither Terraform nor OpenTofu"):
        find_binary("terraform", {"PATH": str(tmp_path)})


def test_a_file_that_cannot_be_run_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "terraform"
    path.write_bytes(b"\x7fELF garbage")
    path.chmod(0o755)

    with pytest.raises(ToolkitError, match="cannot be run"):
        find_binary(str(path), {})
