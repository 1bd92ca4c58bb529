"""STS, corrected."""

from __future__ import annotations

from moto.core.responses import BaseResponse
from moto.iam.models import iam_backends

from toolkit.sandbox.control import ACCOUNT_KEY
from toolkit.sandbox.patches.base import Method, Patch


def _current_account(original: Method) -> Method:
    def get_current_account(self: BaseResponse) -> str:
        if self.access_key.startswith(ACCOUNT_KEY):
            return str(self.access_key.removeprefix(ACCOUNT_KEY))
        for account_id, backends in list(iam_backends.items()):
            if any(self.access_key in backend.access_keys for backend in list(backends.values())):
                return account_id
        account_id = original(self)
        return str(account_id)

    return get_current_account


PATCHES = (
    Patch(
        name="sts-session-of-another-account",
        owner=BaseResponse,
        method="get_current_account",
        reason="moto takes every caller for the account that MOTO_ACCOUNT_ID names, also a session of a role in "
        "another account, so a state bucket there cannot be distinguished from one's own. STS API, AssumeRole: the "
        "session belongs to the role's account. Keys of a further account are ours (control.ACCOUNT_KEY).",
        correct=_current_account,
    ),
)
