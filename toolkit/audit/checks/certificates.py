"""Server certificates that are kept in IAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live


@dataclass(frozen=True)
class ServerCertificates(Fact):
    """Every certificate that IAM keeps.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServerCertificates.html
    """

    named = "every server certificate in IAM"
    calls = ("iam:ListServerCertificates",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The certificates with when each expires."""
        home = source.home_region
        return tuple(
            Live(
                {"name": one["ServerCertificateName"]},
                {"expiration": one["Expiration"]},
                f"the server certificate {one['ServerCertificateName']!r}",
                None,
                arn=one["Arn"],
                region=home,
            )
            for one in source.pages("iam", "list_server_certificates", "ServerCertificateMetadataList", home)
        )


def _needs(_: Scope) -> Iterator[Fact]:
    yield ServerCertificates()


def _judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    every = answers[ServerCertificates()]
    expired = [one for one in every if one.values["expiration"] <= scope.now]
    for one in expired:
        yield Outcome(Status.FAIL, f"{one.called} expired on {one.values['expiration']:%Y-%m-%d}", one)
    if not expired:
        yield Outcome(Status.PASS, f"none of {len(every):,} has expired" if every else "IAM keeps no certificate")


CHECKS = (
    Check(
        "iam_no_expired_server_certificates_stored",
        "No server certificate in IAM has expired.",
        Severity.HIGH,
        "iam",
        _needs,
        _judge,
        Remedy("delete the certificate (`aws iam delete-server-certificate`); keep new ones in ACM, which renews them"),
        why="An expired certificate that is used by mistake breaks connections, or teaches people to ignore warnings.",
    ),
)
