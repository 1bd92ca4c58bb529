"""Keys of settings as steps: the name of an entry is one, whatever it has in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from toolkit import plan as plan_package
from toolkit.addresses import quoted
from toolkit.components.registry import REGISTRY
from toolkit.plan.settings import deciding, is_entry, leaving_out, naming, skipping, steps

TABLE = json.loads((Path(plan_package.__file__).parent / "settings.json").read_text("utf-8"))
ENTRIES = ("plain", "first.last", "token.actions.example.com", "config.amazonaws.com", 'quo"te.d', "a.b.a.b", "name")


def resources() -> Iterator[Any]:
    for component, found in TABLE.items():
        for resource, attributes in found.items():
            nested, _, inside = resource.rpartition(":")
            label = f"{component}_{nested}" if nested else component
            yield pytest.param(component, f"module.{label}.{inside}", attributes, id=f"{component}-{resource}")


def expected(component: str, setting: str, entry: str) -> tuple[str, ...]:
    path = setting.split(".")
    if "*" in path:
        path[path.index("*")] = entry
    return ("components", component, *path)


@pytest.mark.parametrize(("component", "resource", "attributes"), list(resources()))
def test_every_key_has_the_steps_of_its_setting(component: str, resource: str, attributes: Any):
    settings = {setting for found in attributes.values() for setting in found}
    settings |= {name.setting for name in REGISTRY[component].iam_names}
    for entry in ENTRIES:
        address = f"{resource}[{quoted(entry)}]"
        paths = {expected(component, setting, entry) for setting in settings}
        entries = {expected(component, f"{s.partition('*')[0]}*", entry) for s in settings if "*" in s}
        keys = [*naming(address, component), *skipping(address, component)]
        for attribute in attributes:
            keys += deciding(address, component, attribute)
        for key in keys:
            path = steps(key, address)
            assert path in paths, key
            assert ".".join(path) == key
            assert is_entry(key, address) is (path in entries), key


def test_what_is_there_already_is_said_by_a_list_or_a_switch():
    provider = 'module.iam_roles.aws_iam_openid_connect_provider.this["token.actions.githubusercontent.com"]'
    assert skipping(provider, "iam_roles") == ("components.iam_roles.existing_oidc_providers",)
    assert leaving_out(provider, "iam_roles") == ("add it to `components.iam_roles.existing_oidc_providers`",)
    role = 'module.config_delivery.aws_iam_service_linked_role.this["config.amazonaws.com"]'
    assert leaving_out(role, "config") == ("set `components.config.create_service_linked_role` to false",)


def objects(annotation: Any) -> list[type[BaseModel]]:
    """The models that a setting is one of, if it is an object; none for a list or a map."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def of_setting(component: str, setting: str) -> list[type[BaseModel]]:
    found: Any = REGISTRY[component].settings
    for step in setting.split("."):
        found = next((m.model_fields[step].annotation for m in objects(found) if step in m.model_fields), None)
    return objects(found)


def test_what_is_set_within_one_object_is_not_the_whole_object():
    """`adopt` writes the stronger value there, and the file's rules refuse a number in place of an object."""
    wrong = []
    for component, address, attributes in (resource.values for resource in resources()):
        for attribute, settings in attributes.items():
            for setting in settings:
                within = [m for m in of_setting(component, setting) if attribute.rpartition(".")[2] in m.model_fields]
                # The filter and its metric have names of the module's own, and are there because the role is.
                if within and "log_metric_filter.break_glass" not in address:
                    wrong.append(f"{attribute} of {address}: {setting}")
    assert wrong == []


def test_what_there_is_one_for_each_of_another_resource_of_has_its_name():
    role = 'module.activity_alarms.aws_iam_role.forward["baseline-activity-root-sign-in"]'
    assert naming(role, "activity_alarms") == ("components.activity_alarms.name",)
    hops = 'module.account_defaults_eu_central_1.aws_ec2_instance_metadata_defaults.this["instances"]'
    assert deciding(hops, "account_defaults", "http_put_response_hop_limit") == (
        "components.account_defaults.instance_metadata_defaults.http_put_response_hop_limit",
    )
