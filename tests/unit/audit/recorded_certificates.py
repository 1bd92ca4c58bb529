"""Server certificates in IAM."""

from __future__ import annotations

from datetime import timedelta

from toolkit.audit.checks.certificates import ServerCertificates
from toolkit.findings import Status

from .conftest import NOW, Case, Flip, live

CHECK = "iam_no_expired_server_certificates_stored"
SOON = live({"expiration": NOW + timedelta(days=1)})

CASES = (
    Case(CHECK, Status.PASS, {ServerCertificates(): (SOON,)}, (Flip("expiration", NOW, Status.FAIL),)),
    Case(CHECK, Status.PASS, {ServerCertificates(): ()}),
    Case(CHECK, Status.FAIL, {ServerCertificates(): (SOON, live({"expiration": NOW - timedelta(days=1)}))}),
)
