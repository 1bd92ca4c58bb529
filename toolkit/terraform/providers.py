"""Which provider a state records for each resource: the one that Terraform asks about it once its block is gone.

In: Terraform's state as JSON. Out: address without instance keys → alias of the provider, "" for the one without.
Nothing else of a state leaves this module, since it holds sensitive values in the clear.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.addresses import Address
from toolkit.errors import BadPlanError


def aliases(state: Mapping[str, Any]) -> dict[str, str]:
    """Of every managed resource of a state."""
    found = {}
    for resource in state.get("resources", ()):
        # provider["registry.terraform.io/hashicorp/aws"].eu_central_1
        alias = re.search(r'"\](?:\.(\w+))?$', str(resource.get("provider", "")))
        if resource.get("mode") == "managed" and alias is not None:
            module = f"{resource['module']}." if resource.get("module") else ""
            address = Address.parse(f"{module}{resource['type']}.{resource['name']}")
            found[str(address.without_keys)] = alias[1] or ""
    return found


def planned_aliases(plan_file: Path) -> dict[str, str]:
    """Of every managed resource that the state had when a plan was made, those included that AWS did not find.

    Terraform has already put in the provider of the configuration, where that still has the resource.

    Raises:
        BadPlanError: It is no plan of Terraform.
    """
    try:
        with zipfile.ZipFile(plan_file) as archive:
            # Before the refresh: after it, what was not found is gone.
            return aliases(json.loads(archive.read("tfstate-prev")))
    except (OSError, KeyError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as e:
        raise BadPlanError("Terraform's plan file cannot be read", where=str(plan_file)) from e
