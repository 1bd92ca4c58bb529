"""Corrections to moto where a call of a service that moto simulates is wrong or missing.

In: nothing. Out: moto's classes, changed in this process. Only the server process and the tests import this module.
Each patch names AWS's behaviour, which is its specification, and has a test in tests/unit/sandbox/test_patches.py that
fails as soon as moto itself behaves so, which is the moment to delete the patch. A service that moto lacks is never
imitated here: it is tested with mocks and said to be so.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import unquote

from moto.account import urls as account_urls
from moto.account.exceptions import UnspecifiedContactType
from moto.account.models import account_backends
from moto.account.responses import AccountResponse
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.config.models import ConfigBackend
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.settings import Settings as Ec2Settings
from moto.guardduty import urls as guardduty_urls
from moto.guardduty.models import Detector
from moto.guardduty.responses import GuardDutyResponse
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.exceptions import EntityAlreadyExists
from moto.iam.models import IAMBackend, iam_backends
from moto.iam.responses import IamResponse
from moto.kms.responses import KmsResponse
from moto.logs.metric_filters import MetricFilters
from moto.macie2.models import MacieBackend
from moto.organizations.exceptions import PolicyTypeAlreadyEnabledException
from moto.organizations.models import FakePolicy, FakeRoot, FakeServiceAccess
from moto.organizations.utils import TAG_POLICY_ARN_FORMAT
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.securityhub.models import SecurityHubBackend
from moto.securityhub.responses import SecurityHubResponse
from moto.ssm.responses import SimpleSystemManagerResponse

from toolkit.policy_types import AnyManagementType

Method = Callable[..., Any]


@dataclass(frozen=True)
class Patch:
    """One corrected method.

    Attributes:
        name: Short name, also the id of its test.
        owner: The class of moto that is corrected.
        method: Name of its method.
        reason: What moto does and what AWS does, with AWS's documentation as the source.
        correct: Takes moto's method and returns the one that replaces it.
    """

    name: str
    owner: type
    method: str
    reason: str
    correct: Callable[[Method], Method]


def _describe_trails(_original: Method) -> Method:
    def describe_trails(self: CloudTrailResponse) -> str:
        shadows = self._get_bool_param("includeShadowTrails", True)
        names = self._get_param("trailNameList") or []
        trails = list(self.cloudtrail_backend.describe_trails(shadows))
        if names:
            # A name finds a trail of this region, an ARN one of any region; an unknown name is left out, not an error.
            everywhere = [t for b in cloudtrail_backends[self.current_account].values() for t in b.trails.values()]
            trails = [t for t in trails if t.trail_name in names] + [t for t in everywhere if t.arn in names]
        return json.dumps({"trailList": [t.description(include_region=True) for t in trails]})

    return describe_trails


def _delete_trail(original: Method) -> Method:
    def delete_trail(self: CloudTrailResponse) -> str:
        wanted = self._get_param("Name")
        # moto keys its trails by name; the provider deletes by ARN.
        for trail in list(self.cloudtrail_backend.trails.values()):
            if trail.arn == wanted:
                self.cloudtrail_backend.delete_trail(trail.trail_name)
        answer: str = original(self)
        return answer

    return delete_trail


def _put_metric_filter(original: Method) -> Method:
    def add_filter(
        self: MetricFilters, filter_name: str, filter_pattern: str, log_group_name: str, metric_transformations: Any
    ) -> None:
        self.delete_filter(filter_name, log_group_name)
        original(self, filter_name, filter_pattern, log_group_name, metric_transformations)

    return add_filter


def _put_recorder(original: Method) -> Method:
    def put_configuration_recorder(self: ConfigBackend, config_recorder: dict[str, Any]) -> None:
        recorder = dict(config_recorder)
        group = recorder.get("recordingGroup")
        if group:
            # moto answers what it was sent plus empty members, and refuses those very members when they come back.
            empty: tuple[Any, ...] = ({}, [], None, {"resourceTypes": []}, {"resourceTypes": None})
            recorder["recordingGroup"] = {key: value for key, value in group.items() if value not in empty}
        original(self, recorder)
        # AWS always answers a mode: without one in the request, continuous recording.
        mode = recorder.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"}
        self.recorders[recorder["name"]].recording_mode = mode  # type: ignore[attr-defined]

    return put_configuration_recorder


def _merge_features(
    present: list[dict[str, Any]], requested: list[dict[str, Any]], merge_nested: bool = True
) -> list[dict[str, Any]]:
    merged = {feature["name"]: dict(feature) for feature in present}
    for feature in requested:
        before = merged.get(feature["name"], {})
        after = {**before, **feature}
        if merge_nested and (before.get("additionalConfiguration") or feature.get("additionalConfiguration")):
            after["additionalConfiguration"] = _merge_features(
                before.get("additionalConfiguration") or [], feature.get("additionalConfiguration") or [], False
            )
        merged[feature["name"]] = after
    return list(merged.values())


def _update_detector(original: Method) -> Method:
    def update(
        self: Detector,
        enable: bool | None,
        finding_publishing_frequency: str | None,
        data_sources: dict[str, Any] | None,
        features: list[dict[str, Any]] | None,
    ) -> None:
        merged = None if features is None else _merge_features(self.features, features)
        original(self, enable, finding_publishing_frequency, data_sources, merged)

    return update


def _detector_answer(original: Method) -> Method:
    def to_json(self: Detector) -> dict[str, Any]:
        answer: dict[str, Any] = original(self)
        status = {feature["name"]: {"status": feature["status"]} for feature in self.features}
        sources = answer["dataSources"]
        if "S3_DATA_EVENTS" in status:
            sources["s3Logs"] = status["S3_DATA_EVENTS"]
        if "EKS_AUDIT_LOGS" in status:
            sources["kubernetes"] = {"auditLogs": status["EKS_AUDIT_LOGS"]}
        if "EBS_MALWARE_PROTECTION" in status:
            volumes = {"ebsVolumes": status["EBS_MALWARE_PROTECTION"]}
            sources["malwareProtection"] = {"scanEc2InstanceWithFindings": volumes}
        return answer

    return to_json


def _tagged_detector(response: GuardDutyResponse) -> Detector:
    arn = unquote(response.path).split("/tags/", 1)[1]
    return response.guardduty_backend.get_detector(arn.rsplit("/", 1)[-1])


def _tag_detector(_original: Method) -> Method:
    def tag_resource(self: GuardDutyResponse) -> str:
        _tagged_detector(self).tags.update(self._get_param("tags"))
        return "{}"

    return tag_resource


def _untag_detector(_original: Method) -> Method:
    def untag_resource(self: GuardDutyResponse) -> str:
        tags = _tagged_detector(self).tags
        for key in self.querystring.get("tagKeys", []):
            tags.pop(key, None)
        return "{}"

    return untag_resource


def _list_detector_tags(_original: Method) -> Method:
    def list_tags_for_resource(self: GuardDutyResponse) -> str:
        return json.dumps({"tags": _tagged_detector(self).tags})

    return list_tags_for_resource


def _rotated_key(response: KmsResponse) -> Any:
    return response.kms_backend.keys[response.kms_backend.get_key_id(response._get_param("KeyId"))]


def _enable_rotation(original: Method) -> Method:
    def enable_key_rotation(self: KmsResponse) -> str:
        answer: str = original(self)
        _rotated_key(self).rotation_period_in_days = self._get_param("RotationPeriodInDays") or 365
        return answer

    return enable_key_rotation


def _rotation_status(original: Method) -> Method:
    def get_key_rotation_status(self: KmsResponse) -> str:
        answer = json.loads(original(self))
        if answer["KeyRotationEnabled"]:
            answer["RotationPeriodInDays"] = getattr(_rotated_key(self), "rotation_period_in_days", 365)
        return json.dumps(answer)

    return get_key_rotation_status


def _current_account(original: Method) -> Method:
    def get_current_account(self: BaseResponse) -> str:
        for account_id, backends in list(iam_backends.items()):
            if any(self.access_key in backend.access_keys for backend in list(backends.values())):
                return account_id
        account_id = original(self)
        return str(account_id)

    return get_current_account


def _bucket_permission(_original: Method) -> Method:
    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        # Whoever talks to the embedded AWS stands for somebody who talks to AWS through TLS.
        met = [s for s in statements if not _asks_for_plain_http(s.get("Condition", {}))]
        return IAMPolicy(json.dumps({**policy, "Statement": met})).is_action_permitted(action, resource)

    return get_permission


def _object_retention(original: Method) -> Method:
    def get(self: S3Response, query: dict[str, Any], key_name: str) -> Any:
        if "retention" not in query:
            return original(self, query, key_name)
        key, _ = self._get_key()
        if not key.lock_mode:
            raise S3ClientError("NoSuchObjectLockConfiguration", "The object has no retention.")
        self.data["Action"] = "GetObjectRetention"
        return self.serialized(ActionResult({"Retention": {"Mode": key.lock_mode, "RetainUntilDate": key.lock_until}}))

    return get


def _asks_for_plain_http(condition: dict[str, Any]) -> bool:
    return str(condition.get("Bool", {}).get("aws:SecureTransport")).lower() in ("false", "['false']")


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


def _ebs_key(_original: Method) -> Method:
    def get_ebs_default_kms_key_id(self: ElasticBlockStore) -> ActionResult:
        return ActionResult({"KmsKeyId": self.ec2_backend.default_kms_key_id or "alias/aws/ebs"})

    return get_ebs_default_kms_key_id


def _reset_ebs_key(_original: Method) -> Method:
    def reset_ebs_default_kms_key_id(self: ElasticBlockStore) -> ActionResult:
        self.ec2_backend.default_kms_key_id = ""
        return ActionResult({"KmsKeyId": "alias/aws/ebs"})

    return reset_ebs_default_kms_key_id


def _unique_name(
    argument: str, names: Callable[[IAMBackend], Iterable[str]], replaces: str | None = None
) -> Callable[[Method], Method]:
    """Refuses a name that another has already, whatever its case.

    Args:
        argument: The parameter of moto's method that has the new name; None there gives none.
        names: What has a name already.
        replaces: The parameter that has the old name, which an update may repeat as it is.
    """

    def correct(original: Method) -> Method:
        signature = inspect.signature(original)

        @functools.wraps(original)  # another patch may read the signature of this one
        def make(self: IAMBackend, *args: Any, **kwargs: Any) -> Any:
            given = signature.bind(self, *args, **kwargs).arguments
            name = given.get(argument)
            repeats = replaces is not None and name == given[replaces]
            if name and not repeats and any(name.lower() == other.lower() for other in names(self)):
                raise EntityAlreadyExists(f"{name} already exists")
            return original(self, *args, **kwargs)

        return make

    return correct


def _create_user_tags(original: Method) -> Method:
    signature = inspect.signature(original)

    def create_user(self: IAMBackend, *args: Any, **kwargs: Any) -> Any:
        self._tag_verification(signature.bind(self, *args, **kwargs).arguments.get("tags") or [])
        return original(self, *args, **kwargs)

    return create_user


def _tag_user(original: Method) -> Method:
    def tag_user(self: IAMBackend, name: str, tags: list[dict[str, str]]) -> None:
        new = self._tag_verification(tags)
        arn = self.get_user(name).arn
        old = [tag["Key"] for tag in self.tagger.list_tags_for_resource(arn)["Tags"]]
        self.tagger.untag_resource_using_names(arn, [key for key in old if key.lower() in new])
        original(self, name, tags)

    return tag_user


def _own_policies(backend: IAMBackend) -> Iterable[str]:
    return [p.name for arn, p in backend.managed_policies.items() if not arn.startswith("arn:aws:iam::aws:")]


def _list_service_credentials(_original: Method) -> Method:
    def list_service_specific_credentials(_self: IamResponse) -> ActionResult:
        # moto has no way to make one, so no user has any.
        return ActionResult({"ServiceSpecificCredentials": []})

    return list_service_specific_credentials


def _contact_holder(response: AccountResponse) -> Any:
    return account_backends[response._get_account_id()][response.partition]


def _put_contact(_original: Method) -> Method:
    def put_contact_information(self: AccountResponse) -> EmptyResult:
        _contact_holder(self).contact_information = self._get_param("ContactInformation")
        return EmptyResult()

    return put_contact_information


def _get_contact(_original: Method) -> Method:
    def get_contact_information(self: AccountResponse) -> ActionResult:
        found = getattr(_contact_holder(self), "contact_information", None)
        if found is None:
            raise UnspecifiedContactType
        return ActionResult({"ContactInformation": found})

    return get_contact_information


def _macie_is_off(original: Method) -> Method:
    def patched(self: MacieBackend, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        self.macie_session = None

    return patched


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


def _trusted_service(original: Method) -> Method:
    def trusted_service(service_principal: str) -> bool:
        return service_principal == "iam.amazonaws.com" or bool(original(service_principal))

    # moto calls it on the class and on instances alike.
    return staticmethod(trusted_service)


def _is_policy_type(original: Method) -> Method:
    def supported_policy_type(policy_type: str) -> bool:
        return policy_type in _POLICY_TYPES or bool(original(policy_type))

    return staticmethod(supported_policy_type)


def _make_policy(original: Method) -> Method:
    def create(self: FakePolicy, organization: Any, **kwargs: Any) -> None:
        kind = kwargs.get("Type", "")
        original(self, organization, **{**kwargs, **({"Type": "TAG_POLICY"} if kind in _POLICY_TYPES else {})})
        if kind in _POLICY_TYPES:
            self.type = kind
            self._arn_format = TAG_POLICY_ARN_FORMAT.replace("tag_policy", kind.lower())

    return create


def _enable_policy_type(original: Method) -> Method:
    def add_policy_type(self: FakeRoot, policy_type: str) -> None:
        if policy_type not in _POLICY_TYPES:
            original(self, policy_type)
            return
        if any(enabled["Type"] == policy_type for enabled in self.policy_types):
            raise PolicyTypeAlreadyEnabledException
        self.policy_types.append({"Type": policy_type, "Status": "ENABLED"})

    return add_policy_type


_POLICY_TYPES = {*get_args(AnyManagementType)} - {"TAG_POLICY", "AISERVICES_OPT_OUT_POLICY"}
_TYPES = (
    "moto knows four types of organization policies, and enables a fifth. Organizations API, CreatePolicy and "
    "EnablePolicyType: there are more, which are created, listed and attached like tag policies."
)


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
_VPCS = (
    "moto lacks the options. EC2 API, ModifyVpcBlockPublicAccessOptions and DescribeVpcBlockPublicAccessOptions: one "
    "mode for the account's region: off, block-ingress or block-bidirectional."
)
_SETTING = (
    "moto lacks the service settings. Systems Manager API, GetServiceSetting, UpdateServiceSetting and "
    "ResetServiceSetting: public-sharing-permission takes Enable or Disable, and a reset brings AWS's own value back."
)
_CONTACT = (
    "moto has the alternate contacts of an account and not the primary one. Account Management API, "
    "GetContactInformation and PutContactInformation: the account has one, which a put overwrites."
)
_UNIQUE = (
    "moto distinguishes names by case. IAM API, CreateGroup, CreatePolicy, CreateRole, CreateUser, UpdateUser: names "
    'are not distinguished by case; one cannot create both "MyResource" and "myresource".'
)
_USER_TAGS = (
    "moto distinguishes tag keys of users by case, and checks none. IAM API, CreateUser, TagUser: keys of users and "
    "roles are not distinguished by case; of two in one call it accepts neither, and a later one replaces the earlier."
)
_ROTATION = (
    "moto drops the rotation period of a key and never answers one, so the provider plans 0 -> 365 forever. KMS API, "
    "EnableKeyRotation and GetKeyRotationStatus: RotationPeriodInDays, 365 when none is given."
)
_DETECTOR_TAGS = (
    "moto keeps the tags a detector is created with but has no call that changes or lists them, so a changed default "
    "tag fails the apply. GuardDuty API, TagResource, UntagResource, ListTagsForResource: /tags/{resourceArn}."
)
_HUB = (
    "moto's hub answers fixed settings and has no call that changes them. Security Hub API, EnableSecurityHub, "
    "UpdateSecurityHubConfiguration and DescribeHub: AutoEnableControls and ControlFindingGenerator are what was set."
)

PATCHES: tuple[Patch, ...] = (
    Patch(
        name="cloudtrail-describe-trails-names",
        owner=CloudTrailResponse,
        method="describe_trails",
        reason="moto ignores trailNameList and returns every trail, so with two trails the provider says 'too many "
        "results: wanted 1'. CloudTrail API, DescribeTrails: the list names the trails to return.",
        correct=_describe_trails,
    ),
    Patch(
        name="cloudtrail-delete-trail-arn",
        owner=CloudTrailResponse,
        method="delete_trail",
        reason="moto finds no trail by its ARN and answers success, so a destroy leaves the trail behind. CloudTrail "
        "API, DeleteTrail: Name is the name or the ARN of the trail.",
        correct=_delete_trail,
    ),
    Patch(
        name="config-recorder-update",
        owner=ConfigBackend,
        method="put_configuration_recorder",
        reason="moto refuses the empty exclusionByResourceTypes and resourceTypes that it answered itself, so no "
        "recorder can be updated in place; it forgets recordingMode. Config API, PutConfigurationRecorder: the call "
        "updates an existing recorder; ConfigurationRecorder.recordingMode is part of the answer.",
        correct=_put_recorder,
    ),
    Patch(
        name="logs-metric-filter-update",
        owner=MetricFilters,
        method="add_filter",
        reason="moto adds a second filter of the same name and answers the first, so an update is planned again. "
        "CloudWatch Logs API, PutMetricFilter: creates or updates a metric filter.",
        correct=_put_metric_filter,
    ),
    Patch(
        name="guardduty-feature-merge",
        owner=Detector,
        method="update",
        reason="moto replaces all features of a detector by those of the last call. GuardDuty API, UpdateDetector: the "
        "features named in the call are updated, the others stay as they are.",
        correct=_update_detector,
    ),
    Patch(
        name="guardduty-data-sources",
        owner=Detector,
        method="to_json",
        reason="moto shows a protection plan that is a feature as a disabled source. GuardDuty API, GetDetector, and "
        "GuardDuty API changes in March 2023 (User Guide): features and dataSources have the same information; "
        "S3_DATA_EVENTS, EKS_AUDIT_LOGS and EBS_MALWARE_PROTECTION have a data source each.",
        correct=_detector_answer,
    ),
    Patch("guardduty-tag", GuardDutyResponse, "tag_resource", _DETECTOR_TAGS, _tag_detector),
    Patch("guardduty-untag", GuardDutyResponse, "untag_resource", _DETECTOR_TAGS, _untag_detector),
    Patch("guardduty-list-tags", GuardDutyResponse, "list_tags_for_resource", _DETECTOR_TAGS, _list_detector_tags),
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
    Patch("ec2-vpc-block-get", Ec2Settings, "describe_vpc_block_public_access_options", _VPCS, _vpc_options),
    Patch("ec2-vpc-block-modify", Ec2Settings, "modify_vpc_block_public_access_options", _VPCS, _vpc_options),
    Patch("ssm-setting-get", SimpleSystemManagerResponse, "get_service_setting", _SETTING, _get_setting),
    Patch("ssm-setting-update", SimpleSystemManagerResponse, "update_service_setting", _SETTING, _update_setting),
    Patch("ssm-setting-reset", SimpleSystemManagerResponse, "reset_service_setting", _SETTING, _reset_setting),
    Patch("account-contact-put", AccountResponse, "put_contact_information", _CONTACT, _put_contact),
    Patch("account-contact-get", AccountResponse, "get_contact_information", _CONTACT, _get_contact),
    Patch(
        name="iam-service-specific-credentials",
        owner=IamResponse,
        method="list_service_specific_credentials",
        reason="moto lacks the call, which deleting a user with force_destroy makes, so none can be deleted. IAM "
        "API, ListServiceSpecificCredentials: answers an empty list for a user without any.",
        correct=_list_service_credentials,
    ),
    Patch("iam-unique-group", IAMBackend, "create_group", _UNIQUE, _unique_name("group_name", lambda b: b.groups)),
    Patch("iam-unique-user", IAMBackend, "create_user", _UNIQUE, _unique_name("user_name", lambda b: b.users)),
    Patch("iam-unique-policy", IAMBackend, "create_policy", _UNIQUE, _unique_name("policy_name", _own_policies)),
    Patch(
        "iam-unique-role",
        IAMBackend,
        "create_role",
        _UNIQUE,
        _unique_name("role_name", lambda b: [role.name for role in b.get_roles()]),
    ),
    Patch(
        "iam-unique-rename",
        IAMBackend,
        "update_user",
        _UNIQUE,
        _unique_name("new_user_name", lambda b: b.users, "user_name"),
    ),
    Patch("iam-user-tags-create", IAMBackend, "create_user", _USER_TAGS, _create_user_tags),
    Patch("iam-user-tags-change", IAMBackend, "tag_user", _USER_TAGS, _tag_user),
    Patch("kms-enable-rotation", KmsResponse, "enable_key_rotation", _ROTATION, _enable_rotation),
    Patch("kms-rotation-status", KmsResponse, "get_key_rotation_status", _ROTATION, _rotation_status),
    Patch(
        name="macie-off-at-first",
        owner=MacieBackend,
        method="__init__",
        reason="moto has Macie on in every account, so that it seems to collide with what a plan would enable. Macie "
        "API, EnableMacie: it is off until that call.",
        correct=_macie_is_off,
    ),
    Patch("securityhub-enable", SecurityHubResponse, "enable_security_hub", _HUB, _enable_hub),
    Patch("securityhub-configure", SecurityHubResponse, "update_security_hub_configuration", _HUB, _configure_hub),
    Patch("securityhub-describe", SecurityHubBackend, "describe_hub", _HUB, _describe_hub),
    Patch("organizations-policy-types", FakePolicy, "supported_policy_type", _TYPES, _is_policy_type),
    Patch("organizations-create-policy", FakePolicy, "__init__", _TYPES, _make_policy),
    Patch("organizations-enable-policy-type", FakeRoot, "add_policy_type", _TYPES, _enable_policy_type),
    Patch(
        name="organizations-trusts-iam",
        owner=FakeServiceAccess,
        method="trusted_service",
        reason="moto's list of services that an organization can trust lacks IAM. Organizations API, "
        "EnableAWSServiceAccess: iam.amazonaws.com is one, for the central management of root (IAM User Guide).",
        correct=_trusted_service,
    ),
    Patch(
        name="sts-session-of-another-account",
        owner=BaseResponse,
        method="get_current_account",
        reason="moto takes every caller for the account that MOTO_ACCOUNT_ID names, also a session of a role in "
        "another account, so a state bucket there cannot be distinguished from one's own. STS API, AssumeRole: the "
        "session "
        "belongs to the role's account.",
        correct=_current_account,
    ),
    Patch(
        name="s3-tls-only-policy",
        owner=FakeBucket,
        method="get_permission",
        reason="moto takes a Deny whose condition is not met for one that is met, so a bucket that denies plain HTTP "
        "denies every object, to Terraform's S3 backend too. S3 API, GetObject: such a policy denies nothing to "
        "requests through TLS (S3 User Guide, 'Restrict access to only HTTPS requests').",
        correct=_bucket_permission,
    ),
    Patch(
        name="s3-object-retention",
        owner=S3Response,
        method="_key_response_get",
        reason="moto answers GetObjectRetention with the object itself. S3 API, GetObjectRetention: mode and date, or "
        "NoSuchObjectLockConfiguration. A destroy reads what Object Lock keeps.",
        correct=_object_retention,
    ),
)


ROUTES: tuple[tuple[dict[str, Any], str, Method], ...] = (
    (account_urls.url_paths, "{0}/putContactInformation$", AccountResponse.dispatch),
    (account_urls.url_paths, "{0}/getContactInformation$", AccountResponse.dispatch),
    (guardduty_urls.url_paths, "{0}/tags/(?P<resource_arn>.+)$", GuardDutyResponse.dispatch),
)
"""Paths that moto does not route yet; each belongs to patches above that add the method."""


def apply() -> None:
    """Change moto in this process, for good; the server calls it once, before moto builds its routes."""
    for patch in PATCHES:
        setattr(patch.owner, patch.method, patch.correct(getattr(patch.owner, patch.method, _missing)))
    for paths, pattern, dispatch in ROUTES:
        paths.setdefault(pattern, dispatch)


def _missing(*_args: Any, **_kwargs: Any) -> None:
    raise NotImplementedError("moto has no such method; the patch that adds one must not call it")
