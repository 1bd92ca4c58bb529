"""The root user: its keys, its MFA, its last use.

What a member account's root cannot do, it need not be kept from: where the management account has removed root's
credentials, there is no password to protect.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from toolkit.audit.facts import AccountSummary, CredentialReport, Fact, root
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_UNUSED_DAYS = 90
"""Days without a use of root, as public compliance metadata has it for CIS 1.6 (5.0) and 2.7 (7.0)."""
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html"


@dataclass(frozen=True)
class VirtualDevices(Fact):
    """Every virtual MFA device that is assigned, root's among them.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
    """

    named = "every virtual MFA device"
    calls = ("iam:ListVirtualMFADevices",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The devices; `user_arn` says whose each is."""
        home = source.home_region
        found = source.pages("iam", "list_virtual_mfa_devices", "VirtualMFADevices", home, AssignmentStatus="Assigned")
        return tuple(
            Live(
                {"serial": one["SerialNumber"]},
                {"user_arn": one.get("User", {}).get("Arn")},
                f"the virtual MFA device {one['SerialNumber']}",
                None,
                arn=one["SerialNumber"],
                region=home,
            )
            for one in found
        )


def _summary(_: Scope) -> Iterator[Fact]:
    yield AccountSummary()


def _no_password(summary: Live) -> bool:
    """Whether root's password was removed; older answers lack the entry, which proves nothing."""
    return summary.values.get("AccountPasswordPresent") == 0


def _keys(_: Scope, answers: Answers) -> Iterator[Outcome]:
    (summary,) = answers[AccountSummary()]
    if summary.values["AccountAccessKeysPresent"]:
        yield Outcome(Status.FAIL, "root has an access key", summary)
    else:
        yield Outcome(Status.PASS, "root has no access key", summary)


def _mfa(_: Scope, answers: Answers) -> Iterator[Outcome]:
    (summary,) = answers[AccountSummary()]
    if summary.values["AccountMFAEnabled"]:
        yield Outcome(Status.PASS, "root has an MFA device", summary)
    elif _no_password(summary):
        yield Outcome(Status.NOT_APPLICABLE, "root has no password: its credentials were removed centrally", summary)
    else:
        yield Outcome(Status.FAIL, "root has no MFA device", summary)


def _kind_needs(_: Scope) -> Iterator[Fact]:
    yield from (AccountSummary(), VirtualDevices())


def _kind(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    (summary,) = answers[AccountSummary()]
    if not summary.values["AccountMFAEnabled"]:
        if _no_password(summary):
            yield Outcome(
                Status.NOT_APPLICABLE, "root has no password: its credentials were removed centrally", summary
            )
        else:
            yield Outcome(Status.FAIL, "root has no MFA device", summary)
        return
    virtual = [one for one in answers[VirtualDevices()] if one.values["user_arn"] == scope.root_arn]
    if virtual:
        yield Outcome(Status.FAIL, "root's MFA device is a virtual one", virtual[0])
    else:
        yield Outcome(Status.PASS, "root's MFA device is a hardware token or a passkey", summary)


def _use_needs(_: Scope) -> Iterator[Fact]:
    yield CredentialReport()


def _use(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    row = root(answers[CredentialReport()])
    used = [row.values["password_last_used"], *(key["last_used"] for key in row.values["keys"])]
    last = max((one for one in used if one is not None), default=None)
    if last is None:
        yield Outcome(Status.PASS, "no use of root is on record", row)
        return
    days = (row.values["generated"] - last) // timedelta(days=1)
    status = Status.FAIL if days < _UNUSED_DAYS else Status.PASS
    yield Outcome(status, f"root was last used {_ago(days)}, on {last:%Y-%m-%d}", row, facts=(last.isoformat(),))


def _ago(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'} ago"


CHECKS = (
    Check(
        "iam_no_root_access_key",
        "Root has no access key.",
        Severity.CRITICAL,
        "iam",
        _summary,
        _keys,
        Remedy("sign in as root and delete its access keys: no policy limits what they may do"),
        why="An access key of root allows everything, without MFA and without an expiry.",
        source=_GUIDE,
    ),
    Check(
        "iam_root_mfa_enabled",
        "Root has an MFA device.",
        Severity.CRITICAL,
        "iam",
        _summary,
        _mfa,
        Remedy(
            "sign in as root and register an MFA device; or, in an organization, remove root's credentials centrally"
        ),
        why="A leaked root password gives away the whole account.",
        source=_GUIDE,
    ),
    Check(
        "iam_root_hardware_mfa_enabled",
        "Root's MFA device is a hardware token or a passkey.",
        Severity.CRITICAL,
        "iam",
        _kind_needs,
        _kind,
        Remedy("sign in as root, register a hardware token or a passkey, and remove the virtual device"),
        why="A virtual device is a secret on a telephone, which can be copied.",
        source=_GUIDE,
    ),
    Check(
        "iam_avoid_root_usage",
        f"Root was not used for {_UNUSED_DAYS} days.",
        Severity.HIGH,
        "iam",
        _use_needs,
        _use,
        Remedy("use a role or an IAM user for what root was used for, and find out who used root"),
        why="No policy of the account limits root, and the log does not say who used it.",
        source=_GUIDE,
    ),
)
