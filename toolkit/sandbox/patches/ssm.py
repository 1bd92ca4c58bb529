"""Systems Manager, corrected."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ssm.responses import SimpleSystemManagerResponse

from toolkit.sandbox.patches.base import Method, Patch

_SHARING = "/ssm/documents/console/public-sharing-permission"


def _service_setting(response: SimpleSystemManagerResponse) -> dict[str, str]:
    """The account's own values of a region, kept where moto keeps what else belongs to it."""
    backend: Any = response.ssm_backend
    if not hasattr(backend, "service_settings"):
        backend.service_settings = {}
    kept: dict[str, str] = backend.service_settings
    return kept


def _shown_setting(response: SimpleSystemManagerResponse) -> ActionResult:
    # The settings' other defaults are not documented: a setting of another id is not there.
    if not str(response._get_param("SettingId")).endswith(_SHARING):
        raise JsonRESTError("ServiceSettingNotFound", "The specified service setting wasn't found.")
    own = _service_setting(response).get(_SHARING)
    arn = f"arn:{response.partition}:ssm:{response.region}:{response.current_account}:servicesetting{_SHARING}"
    setting = {"SettingId": _SHARING, "SettingValue": own or "Enable", "ARN": arn}
    return ActionResult({"ServiceSetting": {**setting, "Status": "Customized" if own else "Default"}})


def _get_setting(_original: Method) -> Method:
    return _shown_setting


def _update_setting(_original: Method) -> Method:
    def update_service_setting(self: SimpleSystemManagerResponse) -> ActionResult:
        _shown_setting(self)
        _service_setting(self)[_SHARING] = self._get_param("SettingValue")
        return ActionResult({})

    return update_service_setting


def _reset_setting(_original: Method) -> Method:
    def reset_service_setting(self: SimpleSystemManagerResponse) -> ActionResult:
        _service_setting(self).pop(_SHARING, None)
        return _shown_setting(self)

    return reset_service_setting


_SETTING = (
    "moto lacks the service settings. Systems Manager API, GetServiceSetting, UpdateServiceSetting and "
    "ResetServiceSetting: public-sharing-permission takes Enable or Disable, and a reset brings AWS's own value back."
)

PATCHES = (
    Patch("ssm-setting-get", SimpleSystemManagerResponse, "get_service_setting", _SETTING, _get_setting),
    Patch("ssm-setting-update", SimpleSystemManagerResponse, "update_service_setting", _SETTING, _update_setting),
    Patch("ssm-setting-reset", SimpleSystemManagerResponse, "reset_service_setting", _SETTING, _reset_setting),
)
