"""Macie, corrected."""

from __future__ import annotations

from moto.core.utils import utcnow
from moto.macie2.models import MacieBackend
from moto.macie2.responses import MacieResponse

from toolkit.sandbox.patches.base import Method, Patch


def _macie_is_off(original: Method) -> Method:
    def patched(self: MacieBackend, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        self.macie_session = None

    return patched


def _update_session(_original: Method) -> Method:
    def update_macie_session(self: MacieResponse) -> str:
        backend = self.macie_backend
        backend.get_macie_session()  # refuses an account in which it is off
        names = ("findingPublishingFrequency", "status")
        changed = {name: value for name in names if (value := self._get_param(name))}
        backend.macie_session = {**(backend.macie_session or {}), **changed, "updatedAt": utcnow()}
        return "{}"

    return update_macie_session


PATCHES = (
    Patch(
        name="macie-off-at-first",
        owner=MacieBackend,
        method="__init__",
        reason="moto has Macie on in every account, so that it seems to collide with what a plan would enable. Macie "
        "API, EnableMacie: it is off until that call.",
        correct=_macie_is_off,
    ),
    Patch(
        name="macie-update",
        owner=MacieResponse,
        method="update_macie_session",
        reason="moto lacks the call, so that Terraform waits for minutes and fails. Macie API, UpdateMacieSession: it "
        "changes the status and how often findings are published.",
        correct=_update_session,
    ),
)
