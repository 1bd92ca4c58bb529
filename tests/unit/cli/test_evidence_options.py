"""`evidence`: both of its command lines, what its options refuse, what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from toolkit.audit.model import Answers, Outcome, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.cli import console
from toolkit.cli import evidence_commands as module
from toolkit.environment import load_text
from toolkit.errors import ExitCode, ToolkitError
from toolkit.findings import Status
from toolkit.resources.reading import Answered, Call
from toolkit.workflows import evidence as workflow
from toolkit.workflows.discover import Account

ENVIRONMENT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {password_policy: {}}\n'
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
REPORT = {"Content": b"user,arn\n<root_account>,arn:aws:iam::123456789012:root\n", "GeneratedTime": NOW}
Told = Callable[..., tuple[str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with three environments, two of which have the names of commands, and keys."""
    for name in ("prod", "verify", "make"):
        (tmp_path / "environments" / name).mkdir(parents=True)
        (tmp_path / "environments" / name / "environment.yaml").write_text(ENVIRONMENT)
    (tmp_path / "modules").mkdir()
    private = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    sealed = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"correct horse"),
    )
    (tmp_path / "sealed.pem").write_bytes(sealed)
    for name, key in (("key", KEY), ("other", Ed25519PrivateKey.generate())):
        (tmp_path / f"{name}.pub.pem").write_bytes(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The account is read without AWS: two calls, one of them refused. Which environments were opened."""
    opened: list[str | None] = []

    def opens(_progress: Any, env: str | None, *_: Any, **__: Any) -> Account:
        opened.append(env)
        environment = load_text(ENVIRONMENT, name=env or "x", shown_as="x")
        caller = CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/auditor")
        return Account(environment, AwsSession(environment, {}), caller, env or "x", folder, has_file=env is not None)

    def audits(account: Account, wanted: Any, *_: Any, on_answer: Callable[[Answered], None], **__: Any) -> Audit:
        call = Call("iam:GetCredentialReport", "eu-central-1", NOW, "r-1")
        on_answer(Answered("iam", "get_credential_report", {}, call, REPORT))
        refused = Call("s3:ListAllMyBuckets", "eu-central-1", NOW, "r-2")
        on_answer(Answered("s3", "list_buckets", {}, refused, None, ("AccessDenied", "not authorized")))
        outcomes = (Outcome(Status.FAIL, "example"),)
        return Audit(
            account_id="123456789012",
            caller=account.caller.arn,
            environment=account.environment.name if account.has_file else None,
            simulated=False,
            taken=NOW,
            home="eu-central-1",
            regions=("eu-central-1",),
            off=("ap-east-1",),
            frameworks=(),
            results=(Result(checks()["iam_avoid_root_usage"], "eu-central-1", outcomes, Answers({}).calls),),
            waivers=(),
            calls=2,
            max_calls=20_000,
        )

    monkeypatch.setattr(module, "account_of", opens)
    monkeypatch.setattr(workflow, "audit", audits)
    monkeypatch.setattr(AwsSession, "shapes", lambda *_: (None, None))
    return opened


def test_the_two_command_lines_work(account: list[str | None], told: Told, folder: Path):
    out, err = told("evidence", "prod", "-o", "prod.zip", "--private-key", "key.pem")
    assert "Evidence of prod, account 123456789012, as of 2026-11-29T12:00:00Z: prod.zip" in out
    assert "Checks: 0 passed, 1 failed, 0 unknown" in out
    assert "Signed (Ed25519) with the key SHA256:" in out
    assert err.endswith("Next: toolkit evidence verify prod.zip --public-key KEY\n")
    out, _ = told("evidence", "verify", "prod.zip", "--public-key", "key.pub.pem")
    assert "8/8 files valid\nVALID: signed (Ed25519) with the given key, SHA256:" in out
    out, _ = told("evidence", "verify", "prod.zip")
    assert "INTEGRITY ONLY: the files are those of the manifest. Who made the pack was not checked: give the" in out
    assert account == ["prod"]
    assert (folder / "prod.zip").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["verify", "make"])
def test_an_environment_with_the_name_of_a_command_is_given_by_its_folder(
    account: list[str | None], told: Told, name: str
):
    told("evidence", f"environments/{name}", "-o", "one.zip")
    told("evidence", "make", name, "-o", "two.zip")
    assert account == [name, name]


def test_the_name_of_a_command_is_the_command(account: list[str | None], told: Told):
    _, err = told("evidence", "verify", "-o", "x.zip", exits=64)
    assert "No such option: -o" in err
    assert account == []


@pytest.mark.parametrize(
    "words",
    [
        ["evidence", "-o", "x.zip", "prod"],
        ["evidence", "prod", "-o", "x.zip"],
        ["evidence", "--output", "x.zip", "--regions", "active", "prod"],
        ["-v", "evidence", "make", "prod", "-o", "x.zip"],
        ["evidence", "--account-id", "123456789012", "-o", "x.zip"],
    ],
)
def test_options_come_in_any_order(account: list[str | None], told: Told, words: list[str]):
    told(*words)
    assert account == ["prod" if "prod" in words else None]


def test_help_of_the_group_and_of_the_command(told: Told):
    assert "verify" in told("evidence", "--help")[0]
    assert "--private-key" in told("evidence", "prod", "--help")[0]


def test_without_a_key_it_says_so_and_a_key_demands_a_signature(account: list[str | None], told: Told):
    out, err = told("evidence", "prod", "-o", "prod.zip")
    assert "Not signed: it shows what is damaged, not who made it" in out
    assert err.endswith("Next: toolkit evidence verify prod.zip\n")
    assert "it is not signed." in told("evidence", "verify", "prod.zip")[0]
    out, _ = told("evidence", "verify", "prod.zip", "--public-key", "key.pub.pem", exits=7)
    assert "SIGNATURE: the pack is not signed, though a key is given" in out
    assert out.endswith("INVALID: prod.zip does not have the signature of the given key.\n")


def test_another_key_and_a_changed_byte_end_with_7_and_are_named(account: list[str | None], told: Told, folder: Path):
    told("evidence", "prod", "-o", "prod.zip", "--private-key", "key.pem")
    out, _ = told("evidence", "verify", "prod.zip", "--public-key", "other.pub.pem", exits=7)
    assert "8/8 files valid\nSIGNATURE: manifest.json.sig: made with another key" in out
    assert out.endswith("INVALID: prod.zip does not have the signature of the given key.\n")
    data = (folder / "prod.zip").read_bytes()
    at = data.index(b"README.txt") + 40
    (folder / "prod.zip").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    out, _ = told("evidence", "verify", "prod.zip", "--public-key", "key.pub.pem", exits=7)
    assert "7/8 files valid\nCHANGED: README.txt: " in out
    assert out.endswith("INVALID: prod.zip is not as it was made.\n")


def test_what_is_in_the_pack(account: list[str | None], told: Told, folder: Path, json_shape: Callable[[str], Any]):
    import zipfile

    told("render", "prod")
    told("evidence", "prod", "-o", "prod.zip")
    with zipfile.ZipFile(folder / "prod.zip") as archive:
        names = archive.namelist()
        assert names == [
            "README.txt", "report.json", "report.md", "report.html", "rendered.json", "credential-report.csv",
            "requests.csv", "facts/iam.jsonl", "facts/s3.jsonl", "manifest.json",
        ]  # fmt: skip
        manifest = json.loads(archive.read("manifest.json"))
        report = json_shape(archive.read("report.json").decode())
        assert (report["kind"], report["account_id"]) == ("audit", "123456789012")
        assert archive.read("credential-report.csv") == REPORT["Content"]
        assert archive.read("requests.csv").decode().splitlines()[1:] == [
            "2026-11-29T12:00:00.000Z,iam:GetCredentialReport,eu-central-1,r-1,answered,facts/iam.jsonl,1",
            "2026-11-29T12:00:00.000Z,s3:ListAllMyBuckets,eu-central-1,r-2,AccessDenied,facts/s3.jsonl,1",
        ]
        rendered = json.loads(archive.read("rendered.json"))
        everything = b"".join(archive.read(name) for name in names)
    from toolkit.files import digest

    assert manifest["rendered"]["sha256"] == digest(rendered)
    assert manifest["rendered"]["up_to_date"] is True
    assert manifest["credential_report"] == {"generated": "2026-11-29T12:00:00Z"}
    assert (manifest["environment"], manifest["calls"]) == ("prod", 2)
    assert str(folder).encode() not in everything


def test_a_report_in_a_pack_is_a_baseline(account: list[str | None], told: Told, folder: Path):
    from toolkit.audit.baseline import read_baseline

    told("evidence", "prod", "-o", "prod.zip")
    import zipfile

    with zipfile.ZipFile(folder / "prod.zip") as archive:
        archive.extract("report.json", folder)
    assert read_baseline(folder / "report.json").account_id == "123456789012"


def test_rendered_files_that_are_out_of_date_are_said_to_be(account: list[str | None], told: Told, folder: Path):
    told("render", "prod")
    file = folder / "environments" / "prod" / "environment.yaml"
    file.write_text(ENVIRONMENT.replace("password_policy: {}", "password_policy: {}, access_analyzer: {}"))
    manifest = json.loads(told("evidence", "prod", "-o", "prod.zip", "--json")[0])
    assert manifest["rendered"]["up_to_date"] is False


def test_an_environment_that_is_not_rendered_has_no_digest(account: list[str | None], told: Told):
    _, err = told("evidence", "prod", "-o", "prod.zip")
    assert "The environment is not rendered yet" in err


def test_json_is_as_the_schema_says(account: list[str | None], told: Told, json_shape: Callable[[str], Any]):
    made = json_shape(told("evidence", "prod", "-o", "prod.zip", "--private-key", "key.pem", "--json")[0])
    assert (made["kind"], made["file"], made["signature"]["algorithm"]) == ("evidence", "prod.zip", "Ed25519")
    found = json_shape(told("evidence", "verify", "prod.zip", "--json")[0])
    assert (found["valid"], found["signature"], found["problems"]) == (True, "not-checked", [])
    found = json_shape(told("evidence", "verify", "prod.zip", "--public-key", "key.pub.pem", "--json")[0])
    assert (found["valid"], found["signature"]) == (True, "valid")
    found = json_shape(told("evidence", "verify", "prod.zip", "--public-key", "other.pub.pem", "--json", exits=7)[0])
    assert (found["valid"], found["signature"]) == (False, "not-valid")
    error = json_shape(told("evidence", "prod", "-o", "prod.zip", "--json", exits=64)[0])
    assert (error["kind"], error["exit_code"]) == ("error", 64)


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["prod"], "-o FILE is missing", 64),
        (["prod", "-o", "key.pem"], "it exists already, and evidence replaces no file", 64),
        (["prod", "-o", "none/x.zip"], "no such folder", 64),
        (["prod", "-o", "x.zip", "--private-key", "key.pem", "--kms-key", "a"], "one of them signs", 64),
        (["prod", "-o", "x.zip", "--private-key", "none.pem"], "the key cannot be read: No such file", 1),
        (["prod", "-o", "x.zip", "--private-key", "key.pub.pem"], "a public key; signing needs the private one", 64),
        (["prod", "-o", "x.zip", "--private-key", "sealed.pem"], "encrypted, and no passphrase is given", 1),
        (["prod", "-o", "x.zip", "--regions", ","], "--regions: no region", 64),
        (["prod", "-o", "x.zip", "--framework", "cis-5.1"], "did you mean 'cis-5.0'", 64),
        (["--print-policy", "-o", "x.zip"], "--print-policy reads no account, so it does not go with -o", 64),
        (["verify", "none.zip"], "the evidence pack cannot be read: No such file", 1),
        (["verify", "key.pem"], "not an evidence pack: it is not a zip file", 7),
        (["verify", "key.pem", "--public-key", "none.pem"], "the key cannot be read: No such file", 1),
        (["verify", "key.pem", "--public-key", "key.pem"], "a private key, which only its owner should have", 64),
        (["verify"], "Missing argument 'FILE'", 64),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(
    account: list[str | None], told: Told, folder: Path, words: list[str], message: str, code: int
):
    before = sorted(folder.iterdir())
    out, err = told("evidence", *words, exits=code)
    assert message in " ".join(err.split())
    assert (out, account, sorted(folder.iterdir())) == ("", [], before)


def test_a_passphrase_is_read_from_the_environment_or_prompted_for(
    account: list[str | None], told: Told, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(console, "in_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda question: "correct horse" if "Passphrase" in question else "")
    told("evidence", "prod", "-o", "one.zip", "--private-key", "sealed.pem")
    monkeypatch.setattr("getpass.getpass", lambda _: pytest.fail("it was asked for"))
    monkeypatch.setenv("TOOLKIT_SIGNING_PASSPHRASE", "correct horse")
    told("evidence", "prod", "-o", "two.zip", "--private-key", "sealed.pem")
    monkeypatch.setenv("TOOLKIT_SIGNING_PASSPHRASE", "wrong")
    _, err = told("evidence", "prod", "-o", "three.zip", "--private-key", "sealed.pem", exits=1)
    assert "cannot be decrypted: another passphrase" in err


def test_nothing_is_left_of_an_audit_that_fails(
    account: list[str | None], told: Told, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: Any, **__: Any) -> Audit:
        raise ToolkitError("which regions are enabled cannot be read")

    monkeypatch.setattr(workflow, "audit", fails)
    before = sorted(folder.iterdir())
    told("evidence", "prod", "-o", "prod.zip", "--private-key", "key.pem", exits=ExitCode.ERROR)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("kms", [True, False])
def test_the_policy_has_what_signing_needs(told: Told, kms: bool):
    more = ["--kms-key", "alias/evidence"] if kms else []
    policies = json.loads(told("evidence", "--print-policy", *more)[0])
    policies = policies if isinstance(policies, list) else [policies]
    actions = {action for one in policies for s in one["Statement"] for action in s["Action"]}
    assert ({"kms:Sign", "kms:GetPublicKey"} <= actions) is kms
    assert "iam:GetCredentialReport" in actions


def test_signing_with_kms_uses_the_credentials_that_read_the_account(
    account: list[str | None], told: Told, monkeypatch: pytest.MonkeyPatch
):
    from toolkit.signing import FileSigner

    asked: list[tuple[str, str]] = []

    def signer(of: Account, key_id: str) -> Any:
        asked.append((of.called, key_id))
        return SimpleNamespace(signed=FileSigner(KEY).signed, sign=KEY.sign)

    monkeypatch.setattr(workflow, "kms_signer", signer)
    told("evidence", "prod", "-o", "prod.zip", "--kms-key", "alias/evidence")
    told("evidence", "verify", "prod.zip", "--public-key", "key.pub.pem")
    assert asked == [("prod", "alias/evidence")]
