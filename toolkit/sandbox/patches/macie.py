"""Macie, corrected."""

from __future__ import annotations

from moto.macie2.models import MacieBackend

from toolkit.sandbox.patches.base import Method, Patch


def _macie_is_off(original: Method) -> Method:
    def patched(self: MacieBackend, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        self.macie_session = None

    return patched


PATCHES = (
    Patch(
        name="macie-off-at-first",
        owner=MacieBackend,
        method="__init__",
        reason="moto has Macie on in every account, so that it seems to collide with what a plan would enable. Macie "
        "API, EnableMacie: it is off until that call.",
        correct=_macie_is_off,
    ),
)
