"""Which variables reach Terraform and boto3: the table, and what the binaries read against it."""

from __future__ import annotations

import mmap
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import ExitCode, RefusedError
from toolkit.terraform.mirror import choose
from toolkit.variables import RULES, Admitted, admit, decided, forget_aws, inhabit, kept, rule, why_not_passed

ACCOUNT = "111122223333"
LIST = Path(__file__).with_name("variables.txt")
NAMES = [(name, row) for row in RULES for name in row.names]


def named(pattern: str) -> str:
    return pattern.replace("*", "x")


def listed() -> list[set[str]]:
    """What the binaries read, the words in them that only look alike, and exact words that are parts of such."""
    parts = re.split("# Not variables|# Beginnings", LIST.read_text())
    return [{line for line in part.splitlines()[1:] if line and line[0] != "#"} for part in parts]


@pytest.mark.parametrize(("pattern", "row"), NAMES, ids=[name for name, _ in NAMES])
def test_each_row_of_the_table_does_what_it_says(pattern: str, row: object) -> None:
    name = named(pattern)
    assert rule(name) is row, "an earlier row has it"
    given = {"PATH": "/bin", name: "default" if name == "TF_WORKSPACE" else "/v"}
    fate = rule(name).fate
    here = admit(given)
    assert (name in here) == (fate == "kept") or name.startswith("AWS_ROLE_")
    assert (name in here.reported) == (fate in ("reported", "refused"))
    if fate == "refused":
        with pytest.raises(RefusedError, match=f"^environments/prod: {name} is set: ") as caught:
            admit(given, account_id=ACCOUNT, where="environments/prod")
        assert caught.value.exit_code is ExitCode.REFUSED
        assert caught.value.hint
    elif name not in ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN"):
        assert admit(given, account_id=ACCOUNT) == here


@given(st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,12}\Z") | st.from_regex(r"\A(TF|AWS)_[A-Z0-9_]{1,16}\Z"))
def test_a_name_in_no_row_never_gets_through(name: str) -> None:
    if decided(name):
        return
    assert name not in admit({name: "x"})
    if name.startswith(("TF_", "AWS_")):
        with pytest.raises(RefusedError, match=f"{name} is set"):
            admit({name: ""}, account_id=ACCOUNT)
    else:
        assert name not in admit({name: "x"}, account_id=ACCOUNT)


def test_every_name_that_is_refused_is_refused_together_and_first() -> None:
    given = {"TF_AWS_IAM_ENDPOINT": "x", "AWS_ENDPOINT_URL": "x", "TF_AWS_DEFAULT_TAGS_team": "x", "AWS_PAGER": ""}
    with pytest.raises(RefusedError, match=f"^AWS_ENDPOINT_URL, TF_AWS_IAM_ENDPOINT are set: .* account {ACCOUNT}"):
        admit(given, account_id=ACCOUNT)


@pytest.mark.parametrize(("name", "offered"), [("TF_NEW", False), ("AWS_NEW", True)])
def test_a_hint_offers_only_what_the_environment_file_accepts(name: str, offered: bool) -> None:
    with pytest.raises(RefusedError) as caught:
        admit({name: "x"}, account_id=ACCOUNT)
    assert ("pass_environment" in str(caught.value.hint)) is offered is (why_not_passed(name) is None)


def test_another_state_is_never_selected() -> None:
    for account in (None, ACCOUNT):
        with pytest.raises(RefusedError, match="TF_WORKSPACE=other"):
            admit({"TF_WORKSPACE": "other"}, account_id=account)
        assert admit({"TF_WORKSPACE": "default"}, account_id=account) == {}
    assert kept({"TF_WORKSPACE": "other", "PATH": "/bin"}) == {"PATH": "/bin"}


SHELLS = {
    "laptop": "PATH HOME USER LOGNAME SHELL TERM COLORTERM LANG LC_ALL PWD OLDPWD SHLVL _ EDITOR PAGER SSH_AUTH_SOCK "
    "SSH_CONNECTION DISPLAY XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS LS_COLORS HISTSIZE AWS_PROFILE AWS_REGION "
    "AWS_DEFAULT_REGION AWS_PAGER AWS_DEFAULT_OUTPUT AWS_SDK_LOAD_CONFIG AWS_CLI_AUTO_PROMPT AWS_RETRY_MODE "
    "AWS_MAX_ATTEMPTS AWS_EC2_METADATA_DISABLED TF_PLUGIN_CACHE_DIR TF_CLI_ARGS_plan TF_LOG AWS_ACCOUNT_ID "
    "AWS_BEARER_TOKEN_BEDROCK",
    "aws-vault": "AWS_VAULT AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN "
    "AWS_SESSION_EXPIRATION AWS_CREDENTIAL_EXPIRATION AWS_REGION AWS_DEFAULT_REGION",
    "aws-sso-cli": "AWS_SSO_ACCOUNT_ID AWS_SSO_ROLE_NAME AWS_SSO_SESSION_EXPIRATION AWS_SSO_DEFAULT_REGION "
    "AWS_SSO_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
    "cloudshell": "AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_EXECUTION_ENV "
    "AWS_DEFAULT_REGION AWS_REGION AWS_PAGER AWS_TOOLS_USAGE",
    "codebuild": "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_EXECUTION_ENV AWS_DEFAULT_REGION AWS_REGION CODEBUILD_X",
    "eks": "AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE AWS_STS_REGIONAL_ENDPOINTS AWS_REGION AWS_DEFAULT_REGION",
    "eks-pod-identity": "AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_REGION "
    "AWS_STS_REGIONAL_ENDPOINTS AWS_DEFAULT_REGION",
    "lambda": "AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_RUNTIME_API AWS_XRAY_DAEMON_ADDRESS AWS_EXECUTION_ENV AWS_REGION "
    "AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
    "github": "AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ROLE_ARN "
    "GITHUB_ACTIONS GITHUB_OUTPUT TERRAFORM_CLI_PATH TF_IN_AUTOMATION TF_INPUT",
    "azure-pipelines": "TF_BUILD SYSTEM_ACCESSTOKEN BUILD_BUILDID AGENT_TEMPDIRECTORY AWS_ROLE_TO_ASSUME AWS_REGION "
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
    "github with versions": "TF_VERSION TF_API_TOKEN TF_WORKING_DIR TF_IN_AUTOMATION AWS_ROLE_TO_ASSUME AWS_REGION",
    "tfswitch": "TF_VERSION TF_DEFAULT_VERSION TF_PRODUCT TF_ARCH TF_BINARY_PATH TF_INSTALL_PATH",
    "tensorflow": "TF_CPP_MIN_LOG_LEVEL TF_ENABLE_ONEDNN_OPTS TF_FORCE_GPU_ALLOW_GROWTH TF_XLA_FLAGS AWS_PROFILE",
    "gitlab template": "TF_ROOT TF_STATE_NAME TF_ADDRESS TF_USERNAME TF_PASSWORD TF_HTTP_ADDRESS AWS_PROFILE",
    "gitlab": "TF_HTTP_ADDRESS TF_HTTP_LOCK_ADDRESS TF_HTTP_USERNAME TF_HTTP_PASSWORD TF_IN_AUTOMATION CI GITLAB_CI",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_an_ordinary_shell_is_not_refused(shell: str) -> None:
    found = admit(dict.fromkeys(SHELLS[shell].split(), "x"), account_id=ACCOUNT)
    assert not {"AWS_SECURITY_TOKEN", "AWS_EXECUTION_ENV", "AWS_BEARER_TOKEN_BEDROCK", "OLDPWD"} & set(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"AWS_PROFILE": "one", "AWS_DEFAULT_PROFILE": "two"}, "AWS_PROFILE=one and AWS_DEFAULT_PROFILE=two"),
        ({"AWS_ACCESS_KEY": "a"}, "AWS_ACCESS_KEY is set: .* AWS_ACCESS_KEY_ID"),
        ({"AWS_ACCESS_KEY": "a", "AWS_ACCESS_KEY_ID": "b"}, "AWS_ACCESS_KEY is set and differs from AWS_ACCESS_KEY_ID"),
        ({"AWS_SECRET_KEY": "a"}, "AWS_SECRET_KEY is set: .* AWS_SECRET_ACCESS_KEY"),
        ({"AWS_SECURITY_TOKEN": "a"}, "AWS_SECURITY_TOKEN is set: .* AWS_SESSION_TOKEN"),
        ({"AWS_SECURITY_TOKEN": "a", "AWS_SESSION_TOKEN": "b"}, "differs from AWS_SESSION_TOKEN"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/a",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/b",
            },
            "RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are set",
        ),
        ({"AWS_CREDENTIAL_FILE": "/a"}, "AWS_CREDENTIAL_FILE is set: only boto3 reads it"),
        ({"AWS_METADATA_URL": "http://127.0.0.1"}, "AWS_METADATA_URL is set: only the AWS provider reads it"),
    ],
)
def test_two_names_of_one_thing_are_refused_where_the_two_sides_differ(given: dict[str, str], said: str) -> None:
    with pytest.raises(RefusedError, match=said) as caught:
        admit(given, account_id=ACCOUNT, where="environments/prod")
    assert caught.value.where == "environments/prod"
    assert "unset" in str(caught.value.hint)
    assert not {"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_FILE"} & set(admit(given))


@pytest.mark.parametrize(
    ("given", "admitted"),
    [
        ({"AWS_PROFILE": "x", "AWS_DEFAULT_PROFILE": "x"}, {"AWS_PROFILE": "x", "AWS_DEFAULT_PROFILE": "x"}),
        ({"AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": "x"}, {"AWS_DEFAULT_PROFILE": "x"}),
        ({"AWS_ACCESS_KEY": "a", "AWS_ACCESS_KEY_ID": "a"}, {"AWS_ACCESS_KEY_ID": "a"}),
        ({"AWS_SECURITY_TOKEN": "t", "AWS_SESSION_TOKEN": "t"}, {"AWS_SESSION_TOKEN": "t"}),
        ({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "a"}),
        # botocore would join these to a token file of the profile.
        ({"AWS_ROLE_ARN": "a", "AWS_ROLE_SESSION_NAME": "b"}, {}),
        (
            {"AWS_ROLE_ARN": "a", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t"},
            {"AWS_ROLE_ARN": "a", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t"},
        ),
        # A retry mode that botocore knows and the provider refuses, and an account that botocore would believe.
        ({"AWS_RETRY_MODE": "legacy", "AWS_ACCOUNT_ID": "1", "AWS_CA_BUNDLE": "/c"}, {"AWS_CA_BUNDLE": "/c"}),
    ],
)
def test_what_is_left_is_read_alike(given: dict[str, str], admitted: dict[str, str]) -> None:
    assert admit(given, account_id=ACCOUNT) == admitted


def test_lists_of_paths_become_absolute_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("WHERE", "/w")
    found = admit(
        {"PATH": "/bin:tools:", "SSL_CERT_DIR": "certs", "TMPDIR": "t", "AWS_CONFIG_FILE": "$WHERE/c", "HOME": "~"}
    )
    assert found == {
        "PATH": f"/bin:{tmp_path}/tools:{tmp_path}",
        "SSL_CERT_DIR": f"{tmp_path}/certs",
        "TMPDIR": f"{tmp_path}/t",
        "AWS_CONFIG_FILE": "/w/c",
        "HOME": "/home/ann",
    }


def test_what_is_admitted_stays_so_and_carries_what_is_reported() -> None:
    found = admit({"TF_VAR_x": "1", "AWS_ENDPOINT_URL": "x"}) | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert admit(found, account_id=ACCOUNT) is found
    assert found == {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert found.reported == ("AWS_ENDPOINT_URL", "TF_VAR_x")
    assert isinstance(found, Admitted)


def test_the_environment_file_passes_on_more() -> None:
    given = {"ACME_TOKEN": "", "AWS_OTHER": "x", "LD_PRELOAD": "x"}
    more = ("ACME_TOKEN", "AWS_OTHER")
    assert admit(given, account_id=ACCOUNT, more=more) == {"ACME_TOKEN": "", "AWS_OTHER": "x"}
    assert [why_not_passed(name) for name in ("ACME_TOKEN", "AWS_OTHER", "AWS_PROFILE")] == [None] * 3
    for name in (
        "TF_AWS_X",
        "TF_ANY",
        "AWS_ENDPOINT_URL_S3",
        "LD_PRELOAD",
        "TOOLKIT_BUNDLE_KEY",
        "GODEBUG",
        "BASH_ENV",
    ):
        assert why_not_passed(name), name


def test_a_child_of_this_process_sees_what_terraform_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a credential_process helper that botocore starts."""
    monkeypatch.setenv("ACCOUNT", "other")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_PROFILE", "before")
    inhabit(admit({"PATH": os.environ["PATH"], "AWS_PROFILE": "one"}))
    child = subprocess.run(["/usr/bin/env"], capture_output=True, text=True, check=True).stdout.splitlines()
    names = {line.split("=")[0] for line in child if not line.startswith(("PYTEST_", "PYTHON", "TOOLKIT_", "_="))}
    names -= {"COLUMNS", "LINES"}  # which readline sets behind Python's back
    assert names == {"PATH", "AWS_PROFILE"}
    assert "AWS_PROFILE=one" in child


@pytest.mark.parametrize("leave", [lambda: inhabit(admit({"PATH": "/bin"})), forget_aws], ids=["AWS", "embedded"])
def test_the_toolkit_s_own_secrets_are_taken_out_of_the_process(
    monkeypatch: pytest.MonkeyPatch, leave: Callable[[], None]
) -> None:
    secrets = ("TOOLKIT_BUNDLE_KEY", "TOOLKIT_SIGNING_PASSPHRASE")
    for name in secrets:
        monkeypatch.setenv(name, "a secret")
    leave()
    assert [name for name in secrets if name in os.environ] == []


# What the programs read.


def test_what_the_binaries_read_is_decided_by_name() -> None:
    read, words, exactly = listed()
    assert len(read) > 75
    assert not [name for name in read if decided(named(name)) is None], "decide about it in toolkit/variables.py"
    assert not [word for word in words | exactly if decided(word) is None and rule(word).fate != "refused"]


def test_what_botocore_reads_is_decided_by_name() -> None:
    import botocore.configprovider
    import botocore.credentials
    import botocore.utils

    found = set()
    for module in (botocore.configprovider, botocore.credentials, botocore.utils):
        found |= set(re.findall(r"""['"](AWS_[A-Z0-9_]+|BOTO_CONFIG)['"]""", Path(module.__file__).read_text()))
    assert {"AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN", "AWS_DATA_PATH"} < found
    assert not [name for name in found if decided(name) is None], "decide about it in toolkit/variables.py"


def words_in(binary: Path) -> set[str]:
    """Everything in a binary that looks like the name of a variable. Go keeps strings one behind the other."""
    name = re.compile(rb"(?:TF|AWS)_[A-Z0-9_]{2,}")
    found = set()
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = 0
        # Ten times as fast as to let the expression look for its beginnings itself, in 700 MB.
        for start in sorted([*_each(content, b"TF_"), *_each(content, b"AWS_")]):
            if start >= end and (match := name.match(content, start)):
                found.add(match.group().decode())
                end = match.end()
    parts = {part for word in found for part in re.split(r"(?=TF_)|(?<!TF_)(?=AWS_)", word)}
    return {part for part in parts if part.startswith(("TF_", "AWS_"))}


def _each(content: mmap.mmap, word: bytes) -> Iterator[int]:
    start = content.find(word)
    while start >= 0:
        yield start
        start = content.find(word, start + 1)


def provider_binary() -> Path | None:
    """The AWS provider 5.100.0, where a mirror of unpacked providers has it."""
    source = choose(None, os.environ)
    folders = [source.mirror] if source.mirror else []
    folders += [Path(path).parent for path in re.findall(r"(/\S*registry\.terraform\.io)", source.why)]
    folders += [Path.home() / ".terraform.d" / "plugins"]
    for folder in folders:
        pattern = "registry.terraform.io/hashicorp/aws/5.100.0/*/terraform-provider-aws_v5.100.0*"
        for file in sorted(folder.glob(pattern)):
            return file
    return None


@pytest.mark.terraform
@pytest.mark.parametrize("which", ["provider", "terraform"])
def test_the_list_has_everything_that_is_in_the_binaries(which: str) -> None:
    binary = provider_binary() if which == "provider" else Path(shutil.which("terraform") or "")
    if binary is None or not binary.is_file():
        pytest.skip(f"no {which} to look into")
    if which == "terraform":
        version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout
        if "Terraform v1.11.4" not in version:
            pytest.skip(f"the list is of Terraform 1.11.4, not of {version.split()[1]}")
    read, words, exactly = listed()
    whole = {name for name in read | words if name[-1] != "*"}
    beginnings = tuple(name[:-1] for name in read if name[-1] == "*")

    def known(word: str) -> bool:
        # What follows a name is another string, unless it is joined by an underscore: then it is a longer name.
        return word.startswith(beginnings) or any(
            word[:end] in whole and word[end : end + 1] != "_" for end in range(len(word), 3, -1)
        )

    found = words_in(binary)
    assert len(found) > 50
    assert not sorted(word for word in found - exactly if not known(word)), "add it to tests/unit/variables.txt"
    for new in ("AWS_REGION_SET", "TF_NEW", "AWS_CLIENT", "AWS_NEW_ENDPOINT"):
        assert not known(new), "this test would not find a new variable"
