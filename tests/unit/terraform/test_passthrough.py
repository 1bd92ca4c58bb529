"""Which Terraform commands are passed through: what is not named is refused, with the command to use."""

from __future__ import annotations

import pytest

from toolkit.errors import ExitCode, RefusedError, UsageError
from toolkit.terraform.passthrough import INSTEAD, PASSED, check

# `terraform -help` of 1.11.4, and the subcommands of those that have some.
OF_TERRAFORM = (
    "init", "validate", "plan", "apply", "destroy", "console", "fmt", "force-unlock", "get", "graph", "import",
    "login", "logout", "metadata functions", "modules", "output", "providers", "providers lock", "providers mirror",
    "providers schema", "refresh", "show", "state list", "state mv", "state pull", "state push",
    "state replace-provider", "state rm", "state show", "taint", "test", "untaint", "version", "workspace list",
    "workspace new", "workspace select", "workspace delete", "workspace show",
)  # fmt: skip
READ = {"state list", "state show", "state pull", "console", "providers", "providers schema", "graph", "version"}


@pytest.mark.parametrize("command", OF_TERRAFORM)
def test_only_what_reads_and_untaint_are_passed_through(command: str):
    words = command.split()
    if command in READ | {"untaint"}:
        found, passed = check([*words, "x"] if command == "untaint" else words, "prod")
        assert found == command
        assert passed.writes == (command == "untaint")
        return
    with pytest.raises(RefusedError, match=f"`terraform {command}` is not passed through") as caught:
        check(words, "prod")
    assert caught.value.exit_code is ExitCode.REFUSED


@pytest.mark.parametrize(
    ("command", "use"),
    [
        ("apply", "Use `toolkit apply prod`"),
        ("destroy", "Use `toolkit destroy prod`"),
        ("import", "Add a line under `imports` in environment.yaml, then `toolkit plan prod`"),
        ("state push", "Use `toolkit state restore prod FILE`"),
        ("state rm", "Take the component out of environment.yaml, then `toolkit plan prod`"),
        ("state mv", "Use `toolkit init . --upgrade`"),
        ("state replace-provider", "Use `toolkit init . --upgrade`, then `toolkit lock prod`"),
        ("force-unlock", "Use `toolkit unlock prod`"),
        ("workspace select", "Use another environment"),
    ],
)
def test_what_is_refused_names_the_command_to_use(command: str, use: str):
    with pytest.raises(RefusedError) as caught:
        check([*command.split(), "x"], "prod")
    assert str(caught.value.hint).startswith(use)
    assert all(name in str(caught.value.hint) for name in PASSED)


def test_what_is_not_known_is_refused_by_name():
    with pytest.raises(RefusedError, match=r"`terraform untaitn` is not passed through; did you mean 'untaint'\?"):
        check(["untaitn", "x"], "prod")
    with pytest.raises(RefusedError, match="`terraform stacks` is not passed through"):
        check(["stacks", "apply"], "prod")
    with pytest.raises(RefusedError, match="`terraform state newest` is not passed through"):
        check(["state", "newest"], "prod")
    with pytest.raises(RefusedError, match="`terraform state` is not passed through"):
        check(["state"], "prod")


@pytest.mark.parametrize("option", ["-chdir=/tmp", "-help", "-version", "--chdir=x", "-"])
def test_global_options_are_refused(option: str):
    with pytest.raises(RefusedError, match="global options are not passed through"):
        check([option, "state", "list"], "prod")


@pytest.mark.parametrize(
    "arguments",
    [
        "state list -state=other.tfstate",
        "state list -state other.tfstate",
        "state show --state=other.tfstate x",
        "state show x -state=other.tfstate",
        "console -var=x=1",
        "console -plan",
        "untaint -lock=false x",
        "untaint -ignore-remote-version x",
        "untaint -state-out=x x",
        "graph -plan=x",
        "providers -new",
    ],
)
def test_options_that_lead_elsewhere_or_past_the_lock_are_refused(arguments: str):
    with pytest.raises(RefusedError, match="is not passed through with -"):
        check(arguments.split(), "prod")


@pytest.mark.parametrize(
    "arguments",
    [
        ["state", "list", "-id=x", "module.a"],
        ["state", "show", 'module.a.aws_x.y["k-v"]'],
        ["untaint", "-lock-timeout=5s", "--allow-missing", "x"],
        ["providers", "schema", "-json"],
        ["console", "-help"],
    ],
    ids=" ".join,
)
def test_other_options_are_passed(arguments: list[str]):
    check(arguments, "prod")


def test_nothing_is_a_mistake_of_usage():
    with pytest.raises(UsageError, match="no Terraform command is given"):
        check([], "prod")


@pytest.mark.parametrize(
    "arguments",
    [["state list", "module.a"], ["state show", "-state=other"], ["state mv", "a", "b"], ["state rm"]],
    ids=" ".join,
)
def test_a_command_in_one_word_is_a_mistake_of_usage(arguments: list[str]):
    with pytest.raises(UsageError, match="is one word"):
        check(arguments, "prod")


@pytest.mark.parametrize(
    "arguments",
    [
        ["STATE", "list"],
        ["Apply"],
        ["state", "List"],
        ["stat", "list"],
        ["state", "-h", "mv"],
        ["state", "list mv"],
        ["state", ""],
        ["", "apply"],
        ["providers", "", "mirror"],
        ["state", "list", "--", "x"],
        ["state", "list", "---state=x"],
        ["untaint", "-Lock=false", "x"],
        ["untaint", "-lock", "x"],
        ["console", "-state=x;touch y"],
    ],
    ids=" ".join,
)
def test_no_other_spelling_gets_past(arguments: list[str]):
    with pytest.raises(RefusedError, match="is not passed through"):
        check(arguments, "prod")


def test_no_command_is_in_both_tables():
    assert not set(PASSED) & set(INSTEAD)
