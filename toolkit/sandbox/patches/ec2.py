"""EC2 and EBS, corrected."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import Region, RegionsAndZonesBackend
from moto.ec2.models.flow_logs import FlowLogsBackend
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.settings import Settings as Ec2Settings

from toolkit.regions import partition_of
from toolkit.sandbox.patches.base import Method, Patch

_NO_PREFERENCE = ("no-preference", -1)
_STATES: dict[str, Any] = {"snapshots": "unblocked", "images": "unblocked", "serial_console": False, "vpcs": "off"}
"""What a region starts with."""


def _region_settings(response: Ec2Settings) -> dict[str, Any]:
    """Settings of the account's region, kept where moto keeps what else belongs to it."""
    backend = response.ec2_backend
    if not hasattr(backend, "region_settings"):
        backend.region_settings = {**_STATES, "metadata": {}}
    kept: dict[str, Any] = backend.region_settings
    return kept


def _answers(name: str, member: str) -> Callable[[Method], Method]:
    def correct(_original: Method) -> Method:
        def get(self: Ec2Settings) -> ActionResult:
            return ActionResult({member: _region_settings(self)[name]})

        return get

    return correct


def _takes(name: str, member: str, parameter: str) -> Callable[[Method], Method]:
    def correct(_original: Method) -> Method:
        def modify(self: Ec2Settings) -> ActionResult:
            _region_settings(self)[name] = self._get_param(parameter)
            return ActionResult({member: _region_settings(self)[name]})

        return modify

    return correct


def _resets(name: str, member: str) -> Callable[[Method], Method]:
    def correct(_original: Method) -> Method:
        def reset(self: Ec2Settings) -> ActionResult:
            _region_settings(self)[name] = _STATES[name]
            return ActionResult({member: _STATES[name]})

        return reset

    return correct


def _modify_metadata_defaults(_original: Method) -> Method:
    def modify_instance_metadata_defaults(self: Ec2Settings) -> ActionResult:
        kept = _region_settings(self)["metadata"]
        for name in ("HttpTokens", "HttpEndpoint", "InstanceMetadataTags"):
            kept[name] = self._get_param(name) or kept.get(name)
        kept["HttpPutResponseHopLimit"] = self._get_int_param(
            "HttpPutResponseHopLimit", kept.get("HttpPutResponseHopLimit")
        )
        return ActionResult({"Return": True})

    return modify_instance_metadata_defaults


def _metadata_defaults(_original: Method) -> Method:
    def get_instance_metadata_defaults(self: Ec2Settings) -> ActionResult:
        kept = _region_settings(self)["metadata"]
        stated = {name: value for name, value in kept.items() if value is not None and value not in _NO_PREFERENCE}
        return ActionResult({"AccountLevel": stated})

    return get_instance_metadata_defaults


def _serial_console(enabled: bool | None) -> Callable[[Method], Method]:
    def correct(_original: Method) -> Method:
        def access(self: Ec2Settings) -> ActionResult:
            kept = _region_settings(self)
            if enabled is not None:
                kept["serial_console"] = enabled
            return ActionResult({"SerialConsoleAccessEnabled": kept["serial_console"]})

        return access

    return correct


def _vpc_options(_original: Method) -> Method:
    def options(self: Ec2Settings) -> ActionResult:
        kept = _region_settings(self)
        kept["vpcs"] = self._get_param("InternetGatewayBlockMode") or kept["vpcs"]
        backend = self.ec2_backend
        return ActionResult(
            {
                "VpcBlockPublicAccessOptions": {
                    "AwsAccountId": backend.account_id,
                    "AwsRegion": backend.region_name,
                    "State": "default-state" if kept["vpcs"] == "off" else "update-complete",
                    "InternetGatewayBlockMode": kept["vpcs"],
                    "ManagedBy": "account",
                    "ExclusionsAllowed": "allowed",
                }
            }
        )

    return options


def _ebs_key(_original: Method) -> Method:
    def get_ebs_default_kms_key_id(self: ElasticBlockStore) -> ActionResult:
        return ActionResult({"KmsKeyId": self.ec2_backend.default_kms_key_id or "alias/aws/ebs"})

    return get_ebs_default_kms_key_id


def _reset_ebs_key(_original: Method) -> Method:
    def reset_ebs_default_kms_key_id(self: ElasticBlockStore) -> ActionResult:
        self.ec2_backend.default_kms_key_id = ""
        return ActionResult({"KmsKeyId": "alias/aws/ebs"})

    return reset_ebs_default_kms_key_id


def _create_flow_logs(original: Method) -> Method:
    def create_flow_logs(self: FlowLogsBackend, *args: Any, **more: Any) -> Any:
        traffic = signature(original).bind(self, *args, **more).arguments["traffic_type"]
        every = self.flow_logs
        others = {name: log for name, log in every.items() if log.traffic_type != traffic}
        self.flow_logs = {name: log for name, log in every.items() if name not in others}
        try:
            return original(self, *args, **more)
        finally:
            self.flow_logs |= others

    return create_flow_logs


_REGION_SETTINGS = (
    "moto has a region's settings for EBS encryption and not these. EC2 API, {calls}: each "
    "region of an account has one value, which the calls change and answer; until then {initial}."
)
_SNAPSHOTS = _REGION_SETTINGS.format(
    calls="GetSnapshotBlockPublicAccessState, EnableSnapshotBlockPublicAccess, DisableSnapshotBlockPublicAccess",
    initial="unblocked",
)
_IMAGES = _REGION_SETTINGS.format(
    calls="GetImageBlockPublicAccessState, EnableImageBlockPublicAccess, DisableImageBlockPublicAccess",
    initial="unblocked",
)
_METADATA = _REGION_SETTINGS.format(
    calls="GetInstanceMetadataDefaults, ModifyInstanceMetadataDefaults",
    initial="and where no preference is given no value is answered",
)
_EBS_KEY = (
    "moto takes a default key for EBS and neither returns nor resets it. EC2 API, GetEbsDefaultKmsKeyId and "
    "ResetEbsDefaultKmsKeyId: the region's key, which is alias/aws/ebs unless ModifyEbsDefaultKmsKeyId named another."
)
_CONSOLE = (
    "moto lacks the switch. EC2 API, EnableSerialConsoleAccess, DisableSerialConsoleAccess and "
    "GetSerialConsoleAccessStatus: one switch for the account's region, which is off unless it was enabled."
)
_FLOW_LOGS = (
    "moto refuses a second flow log to one log group, even of other traffic. EC2 API, CreateFlowLogs, and VPC User "
    'Guide, "Publish flow logs to CloudWatch Logs": of two flow logs to one log group, one can record rejected and one '
    "accepted traffic."
)
_VPCS = (
    "moto lacks the options. EC2 API, ModifyVpcBlockPublicAccessOptions and DescribeVpcBlockPublicAccessOptions: one "
    "mode for the account's region: off, block-ingress or block-bidirectional."
)


def _regions_of_partition(original: Method) -> Method:
    def describe_regions(self: EC2Backend, region_names: list[str] | None = None) -> list[Region]:
        return [one for one in original(self, region_names) if partition_of(one.name) == self.partition]

    return describe_regions


PATCHES = (
    Patch(
        name="ec2-regions-of-partition",
        owner=RegionsAndZonesBackend,
        method="describe_regions",
        reason="moto lists the regions of China and GovCloud for every account. EC2 API, DescribeRegions: an account "
        "has those of its partition (user guide, Regions and Zones).",
        correct=_regions_of_partition,
    ),
    Patch(
        "ec2-snapshot-block-get",
        Ec2Settings,
        "get_snapshot_block_public_access_state",
        _SNAPSHOTS,
        _answers("snapshots", "State"),
    ),
    Patch(
        "ec2-snapshot-block-enable",
        Ec2Settings,
        "enable_snapshot_block_public_access",
        _SNAPSHOTS,
        _takes("snapshots", "State", "State"),
    ),
    Patch(
        "ec2-snapshot-block-disable",
        Ec2Settings,
        "disable_snapshot_block_public_access",
        _SNAPSHOTS,
        _resets("snapshots", "State"),
    ),
    Patch(
        "ec2-image-block-get",
        Ec2Settings,
        "get_image_block_public_access_state",
        _IMAGES,
        _answers("images", "ImageBlockPublicAccessState"),
    ),
    Patch(
        "ec2-image-block-enable",
        Ec2Settings,
        "enable_image_block_public_access",
        _IMAGES,
        _takes("images", "ImageBlockPublicAccessState", "ImageBlockPublicAccessState"),
    ),
    Patch(
        "ec2-image-block-disable",
        Ec2Settings,
        "disable_image_block_public_access",
        _IMAGES,
        _resets("images", "ImageBlockPublicAccessState"),
    ),
    Patch("ec2-ebs-key-get", ElasticBlockStore, "get_ebs_default_kms_key_id", _EBS_KEY, _ebs_key),
    Patch("ec2-ebs-key-reset", ElasticBlockStore, "reset_ebs_default_kms_key_id", _EBS_KEY, _reset_ebs_key),
    Patch(
        "ec2-metadata-defaults-modify",
        Ec2Settings,
        "modify_instance_metadata_defaults",
        _METADATA,
        _modify_metadata_defaults,
    ),
    Patch("ec2-metadata-defaults-get", Ec2Settings, "get_instance_metadata_defaults", _METADATA, _metadata_defaults),
    Patch("ec2-serial-get", Ec2Settings, "get_serial_console_access_status", _CONSOLE, _serial_console(None)),
    Patch("ec2-serial-enable", Ec2Settings, "enable_serial_console_access", _CONSOLE, _serial_console(True)),
    Patch("ec2-serial-disable", Ec2Settings, "disable_serial_console_access", _CONSOLE, _serial_console(False)),
    Patch("ec2-flow-logs-create", FlowLogsBackend, "create_flow_logs", _FLOW_LOGS, _create_flow_logs),
    Patch("ec2-vpc-block-get", Ec2Settings, "describe_vpc_block_public_access_options", _VPCS, _vpc_options),
    Patch("ec2-vpc-block-modify", Ec2Settings, "modify_vpc_block_public_access_options", _VPCS, _vpc_options),
)
