"""An account that answers from the facts of an evidence pack, and nothing else: what an auditor has."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from toolkit.aws.session import AwsSession
from toolkit.environment import Environment

MODELS = botocore.session.Session()


def as_boto3(value: Any, shape: Any) -> Any:
    """A fact as boto3 gave it: JSON has neither times nor bytes."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        return {key: as_boto3(one, shape.members.get(key)) for key, one in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: as_boto3(one, shape.value) for key, one in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [as_boto3(one, shape.member) for one in value]
    if isinstance(value, str) and not value.startswith("(stripped"):
        if shape.type_name == "timestamp":
            return datetime.fromisoformat(value)
        if shape.type_name == "blob":
            return value.encode()
    return value


class Replayed(AwsSession):
    """Clients that answer each call as it is in the facts; a call that is not there is an error."""

    def __init__(self, environment: Environment, pack: Path) -> None:
        super().__init__(environment, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
        self.facts: defaultdict[tuple[str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
        with zipfile.ZipFile(pack) as archive:
            for name in archive.namelist():
                if name.startswith("facts/"):
                    for line in archive.read(name).decode().splitlines():
                        fact = json.loads(line)
                        self.facts[
                            self.key(fact["service"], fact["region"], fact["operation"], fact["parameters"])
                        ] += [fact]

    @staticmethod
    def key(service: str, region: str, operation: str, parameters: Mapping[str, Any]) -> tuple[str, str, str, str]:
        """A question, but for moments in it: metrics of the last days are of other days now."""
        model = MODELS.get_service_model(service)
        names = {botocore.xform_name(name): name for name in model.operation_names}
        shape = model.operation_model(names[operation]).input_shape
        moments = {name for name, one in (shape.members if shape else {}).items() if one.type_name == "timestamp"}
        asked = {name: value for name, value in parameters.items() if name not in moments}
        return service, region, operation, json.dumps(asked, sort_keys=True)

    def client(self, service: str, region: str | None = None) -> Any:
        """The client of a service; it knows as much of its model as the inventory looks at."""
        model = MODELS.get_service_model(service)
        names = {botocore.xform_name(name): name for name in model.operation_names}

        def answers(operation: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
            facts = self.facts[self.key(service, str(region), operation, parameters)]
            assert facts, f"not among the facts: {service} {operation} {parameters} in {region}"
            shape = model.operation_model(names[operation]).output_shape
            for fact in facts:
                metadata = {"RequestId": fact["request_id"]}
                if "error" in fact:
                    if fact["error"]["code"] == "ResponseParserError":
                        raise ResponseParserError(fact["error"]["message"])
                    error = {"Code": fact["error"]["code"], "Message": fact["error"]["message"]}
                    raise ClientError({"Error": error, "ResponseMetadata": metadata}, operation)  # type: ignore[typeddict-item]
                yield {**as_boto3(fact["answer"], shape), "ResponseMetadata": metadata}

        class Client:
            meta = SimpleNamespace(method_to_api_mapping=names)

            def can_paginate(self, _: str) -> bool:
                return True

            def get_paginator(self, operation: str) -> Any:
                return SimpleNamespace(paginate=lambda **parameters: answers(operation, parameters))

            def __getattr__(self, operation: str) -> Any:
                # Of a call that is repeated until AWS is done, the last answer.
                return lambda **parameters: list(answers(operation, parameters))[-1]

        return Client()
