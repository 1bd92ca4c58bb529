"""Security Hub, corrected."""

from __future__ import annotations

from typing import Any

from moto.securityhub.models import SecurityHubBackend
from moto.securityhub.responses import SecurityHubResponse

from toolkit.sandbox.patches.base import Method, Patch


def _hub_settings(backend: Any) -> dict[str, Any]:
    """Settings of the region's hub, kept where moto keeps what else belongs to it."""
    if not hasattr(backend, "hub_settings"):
        backend.hub_settings = {}
    kept: dict[str, Any] = backend.hub_settings
    return kept


def _enable_hub(original: Method) -> Method:
    def enable_security_hub(self: SecurityHubResponse) -> str:
        answer: str = original(self)
        chosen = self._get_param("ControlFindingGenerator") or "SECURITY_CONTROL"
        _hub_settings(self.securityhub_backend).update(AutoEnableControls=True, ControlFindingGenerator=chosen)
        return answer

    return enable_security_hub


def _configure_hub(_original: Method) -> Method:
    def update_security_hub_configuration(self: SecurityHubResponse) -> str:
        backend = self.securityhub_backend
        # Refuses, as AWS does, where there is no hub.
        backend.describe_hub()
        for name in ("AutoEnableControls", "ControlFindingGenerator"):
            value = self._get_param(name)
            if value is not None:
                _hub_settings(backend)[name] = value
        return "{}"

    return update_security_hub_configuration


def _describe_hub(original: Method) -> Method:
    def describe_hub(self: SecurityHubBackend, hub_arn: str | None = None) -> dict[str, Any]:
        return {**original(self, hub_arn), **_hub_settings(self)}

    return describe_hub


_HUB = (
    "moto's hub answers fixed settings and has no call that changes them. Security Hub API, EnableSecurityHub, "
    "UpdateSecurityHubConfiguration and DescribeHub: AutoEnableControls and ControlFindingGenerator are what was set."
)

PATCHES = (
    Patch("securityhub-enable", SecurityHubResponse, "enable_security_hub", _HUB, _enable_hub),
    Patch("securityhub-configure", SecurityHubResponse, "update_security_hub_configuration", _HUB, _configure_hub),
    Patch("securityhub-describe", SecurityHubBackend, "describe_hub", _HUB, _describe_hub),
)
