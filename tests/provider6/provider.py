"""A provider that has the schema of version 6 of the AWS provider, and nothing behind it.

Terraform starts it as any provider (`mirror` lays it out as an unpacked filesystem mirror): Terraform's own protocol
over gRPC, with the stubs of the package tf. In: schema.json.gz. Validating by a schema is Terraform's work. A plan is
the proposed state, with what the provider computes as unknown, but for three things that its documentation says:
`region` is the provider's, and another one replaces the resource; `tags_all` are the tags with the default ones; and
`aws_iam_policy_document` is evaluated. Other data sources answer in words of their own. What the real provider checks
or does beyond its schema, this one does not: no value is refused, nothing else forces a replacement, and AWS is never
called.
"""

# ruff: noqa: N802 (the names are the protocol's)

from __future__ import annotations

import datetime
import functools
import gzip
import json
import os
import re
import shlex
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("schema.json.gz")
ACCOUNT = "123456789012"
"""Of the embedded AWS, too; a provider's allowed account id comes first."""

Block = Mapping[str, Any]
Value = dict[str, Any]


def mirror(folder: Path) -> Path:
    """Make a mirror with this provider in a folder: /registry.terraform.io/hashicorp/aws/VERSION/linux_amd64/…"""
    version = schema()["provider_version"]
    target = folder / "registry.terraform.io" / "hashicorp" / "aws" / version / _platform()
    target.mkdir(parents=True)
    program = target / f"terraform-provider-aws_v{version}"
    identity = folder / "identity.pem"
    identity.write_bytes(_identity())
    command = shlex.join([sys.executable, str(Path(__file__).resolve()), str(identity)])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


def _platform() -> str:
    """As Terraform names it."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    return f"{sys.platform}_{machine}"


@functools.cache
def schema() -> dict[str, Any]:
    """What extract.py wrote."""
    found: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


# Values of Terraform's type system, as msgpack has them: unknown is an extension of its own.
# https://github.com/hashicorp/terraform/blob/main/docs/plugin-protocol/object-wire-format.md


class Unknown:
    """A value that is not known before the apply."""


UNKNOWN = Unknown()


def unpack(data: bytes) -> Any:
    """A value of Terraform's, or None."""
    import msgpack

    return msgpack.unpackb(data, ext_hook=lambda code, data: UNKNOWN, strict_map_key=False) if data else None


def pack(value: Any) -> bytes:
    """As Terraform wants it."""
    import msgpack

    packed: bytes = msgpack.packb(value, default=lambda value: msgpack.ExtType(0, b"\0"))
    return packed


def planned(block: Block, proposed: Value) -> Value:
    """A new resource: what the provider computes and the configuration does not say is unknown."""
    found = dict(proposed)
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("computed") and found[name] is None:
            found[name] = UNKNOWN
    return found | _nested(block, proposed, planned)


def known(block: Block, value: Value) -> Value:
    """A resource after its apply, or a data source that was read: what is computed has a value."""
    found = dict(value)
    for name, attribute in block.get("attributes", {}).items():
        if found[name] is UNKNOWN or (attribute.get("computed") and found[name] is None):
            found[name] = example(attribute["type"], name)
    return found | _nested(block, value, known)


def complete(block: Block, value: Value) -> Value:
    """Of any part of a state, the whole: null where it says nothing."""
    found = {name: value.get(name) for name in block.get("attributes", {})}
    empty = {
        name: [] if b["nesting_mode"] in ("list", "set") else None for name, b in block.get("block_types", {}).items()
    }
    return found | {name: value.get(name) or none for name, none in empty.items()} | _nested(block, value, complete)


def _nested(block: Block, value: Value, change: Callable[[Block, Value], Value]) -> Value:
    found: Value = {}
    for name, inner in block.get("block_types", {}).items():
        entries = value.get(name)
        if isinstance(entries, list):
            found[name] = [change(inner["block"], entry) if isinstance(entry, dict) else entry for entry in entries]
        elif isinstance(entries, dict):
            found[name] = change(inner["block"], entries) if inner["nesting_mode"] == "single" else entries
    return found


def example(kind: Any, name: str) -> Any:
    """A value of a type: a word where it is a string, one entry where it is a list."""
    if isinstance(kind, str):
        return {"string": f"{name}-of-the-schema", "number": 0, "bool": False}[kind]
    if kind[0] == "object":
        return {n: example(k, n) for n, k in kind[1].items()}
    return {} if kind[0] == "map" else [example(kind[1], name)]


def data_source(name: str, config: Value, provider: Value) -> Value:
    """What a data source answers in place of `example`."""
    region = config.get("region") or provider["region"]
    partition = next(
        (p for prefix, p in (("us-gov-", "aws-us-gov"), ("cn-", "aws-cn")) if region.startswith(prefix)), "aws"
    )
    account = next(iter(provider.get("allowed_account_ids") or []), ACCOUNT)
    match name:
        case "aws_caller_identity":
            return {"account_id": account, "id": account, "arn": f"arn:{partition}:iam::{account}:user/schema"}
        case "aws_partition":
            return {"partition": partition, "id": partition, "dns_suffix": "amazonaws.com"}
        case "aws_service":
            return {"region": region, "partition": partition}
        case "aws_default_tags":
            return {"tags": default_tags(provider)}
        case "aws_iam_policy_document":
            document = policy_document(config)
            return {
                "json": json.dumps(document, indent=2),
                "minified_json": json.dumps(document, separators=(",", ":")),
            }
    return {}


def default_tags(provider: Value) -> Value:
    """The provider's."""
    return {k: v for block in provider.get("default_tags") or [] for k, v in (block["tags"] or {}).items()}


def policy_document(config: Value) -> Value:
    """The policy that aws_iam_policy_document makes, in the order in which the real one writes it.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
    """
    own = [_statement(given, config["version"] or "2012-10-17") for given in config["statement"]]
    statements: list[Value] = []
    sources = [json.loads(text) for text in config["source_policy_documents"] or []]
    overrides = [json.loads(text) for text in config["override_policy_documents"] or []]
    for several in (*(_several(d) for d in sources), own, *(_several(d) for d in overrides)):
        for statement in several:
            same = [i for i, s in enumerate(statements) if s.get("Sid") and s.get("Sid") == statement.get("Sid")]
            if same:
                statements[same[0]] = statement
            else:
                statements.append(statement)
    head = {"Version": config["version"] or "2012-10-17", "Id": config["policy_id"]}
    return {k: v for k, v in head.items() if v} | {"Statement": statements}


def _several(document: Value) -> list[Value]:
    statements = document.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _statement(given: Value, version: str) -> Value:
    found: Value = {"Sid": given["sid"], "Effect": given["effect"] or "Allow"}
    for key in ("actions", "not_actions", "resources", "not_resources"):
        found[_ELEMENTS[key]] = _one_or_list(given[key])
    for key in ("principals", "not_principals"):
        found[_ELEMENTS[key]] = _principals(given[key])
    conditions: dict[str, dict[str, Any]] = {}
    for condition in given["condition"]:
        values = condition["values"]
        conditions.setdefault(condition["test"], {})[condition["variable"]] = values[0] if len(values) == 1 else values
    found["Condition"] = conditions
    found = {key: value for key, value in found.items() if value}
    # `&{` is how HCL writes the opening of a policy variable.
    return json.loads(json.dumps(found).replace("&{", "${")) if version == "2012-10-17" else found


_ELEMENTS = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
    "principals": "Principal",
    "not_principals": "NotPrincipal",
}


def _one_or_list(values: list[str] | None) -> Any:
    return values[0] if values and len(values) == 1 else sorted(values or [], reverse=True)


def _principals(blocks: list[Value]) -> Any:
    if any((b["type"], b["identifiers"]) == ("*", ["*"]) for b in blocks):
        return "*"
    found: dict[str, list[str]] = {}
    for block in blocks:
        found.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_list(values) for kind, values in found.items()}


def serve(identity: bytes, *, debug: bool = False) -> None:
    """Answer Terraform until it says that it is done.

    Args:
        identity: As `_identity` makes it. Terraform starts a provider several times in each command, so that one that
            is made beforehand saves a third of the time.
        debug: Serve one command after another until killed, as providers do that are started with `-debug`:
            https://developer.hashicorp.com/terraform/plugin/debugging
    """
    import grpc
    from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, tfplugin_pb2, tfplugin_pb2_grpc

    pb, protocol = tfplugin_pb2, tfplugin_pb2_grpc
    own = schema()
    settings: Value = {"region": "us-east-1"}

    def message(block: Block) -> Any:
        attributes = [
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(a["type"]).encode(),
                **{k: True for k in ("required", "optional", "computed", "sensitive", "deprecated") if a.get(k)},
            )
            for name, a in block.get("attributes", {}).items()
        ]
        blocks = [
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=b["nesting_mode"].upper(),
                block=message(b["block"]),
                min_items=b.get("min_items", 0),
                max_items=b.get("max_items", 0),
            )
            for name, b in block.get("block_types", {}).items()
        ]
        return pb.Schema.Block(attributes=attributes, block_types=blocks)

    def schemas(kind: str) -> dict[str, Any]:
        return {n: pb.Schema(version=s["version"], block=message(s["block"])) for n, s in own[kind].items()}

    @functools.cache
    def everything() -> Any:
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(block=message(own["provider"]["block"])),
            resource_schemas=schemas("resource_schemas"),
            data_source_schemas=schemas("data_source_schemas"),
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True),
        )

    def value(found: Any) -> Any:
        return pb.DynamicValue(msgpack=pack(found))

    def filled(block: Block, found: Value) -> Value:
        """What the documentation says of `region` and `tags_all` of every resource."""
        names = block["attributes"]
        if "region" in names and found["region"] in (None, UNKNOWN):
            found["region"] = settings["region"]
        if "tags_all" in names and found.get("tags") is not UNKNOWN:
            found["tags_all"] = default_tags(settings) | (found.get("tags") or {})
        return found

    class Provider(protocol.ProviderServicer):  # type: ignore[misc]
        """The calls of the protocol that a plan and an apply need."""

        def GetProviderSchema(self, request: Any, context: Any) -> Any:
            return everything()

        def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
            return pb.ValidateProviderConfig.Response()

        def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
            return pb.ValidateResourceConfig.Response()

        def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
            return pb.ValidateDataResourceConfig.Response()

        def ConfigureProvider(self, request: Any, context: Any) -> Any:
            given = {k: v for k, v in unpack(request.config.msgpack).items() if v not in (None, UNKNOWN)}
            settings.clear()
            settings.update({"region": "us-east-1"} | given)
            return pb.ConfigureProvider.Response()

        def UpgradeResourceState(self, request: Any, context: Any) -> Any:
            state = complete(_block(request.type_name), json.loads(request.raw_state.json))
            return pb.UpgradeResourceState.Response(upgraded_state=value(state))

        def ReadResource(self, request: Any, context: Any) -> Any:
            state, block = unpack(request.current_state.msgpack), _block(request.type_name)
            if "region" in block["attributes"] and state["region"] is None:
                # Of version 5: where it is looked for is written to the state (setRegionInState in
                # https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/provider/sdkv2/region.go).
                state["region"] = settings["region"]
            return pb.ReadResource.Response(new_state=value(state))

        def PlanResourceChange(self, request: Any, context: Any) -> Any:
            proposed, block = unpack(request.proposed_new_state.msgpack), _block(request.type_name)
            prior, replacing = unpack(request.prior_state.msgpack), []
            if proposed is not None:
                if prior is None:
                    proposed = planned(block, proposed)
                proposed = filled(block, proposed)
                # As forceNewIfRegionChanges in the same file does; none is the provider's here, too.
                regional = prior is not None and "region" in block["attributes"]
                if regional and (prior["region"] or settings["region"]) != proposed["region"]:
                    replacing.append(pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name="region")]))
            return pb.PlanResourceChange.Response(
                planned_state=value(proposed), requires_replace=replacing, legacy_type_system=True
            )

        def ApplyResourceChange(self, request: Any, context: Any) -> Any:
            state = unpack(request.planned_state.msgpack)
            if state is not None:
                unnamed = state.get("arn") is UNKNOWN
                state = known(_block(request.type_name), state)
                state |= {"arn": _arn(request.type_name, state)} if unnamed else {}
            return pb.ApplyResourceChange.Response(new_state=value(state), legacy_type_system=True)

        def ImportResourceState(self, request: Any, context: Any) -> Any:
            block = _block(request.type_name)
            match = _ID_WITH_REGION.fullmatch(request.id) if "region" in block["attributes"] else None
            id_, region = match.groups() if match else (request.id, settings["region"])
            state = complete(block, {"id": id_, "region": region})
            kept = {k: v for k, v in state.items() if k in block["attributes"] or k in block.get("block_types", {})}
            imported = pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=value(kept))
            return pb.ImportResourceState.Response(imported_resources=[imported])

        def ReadDataSource(self, request: Any, context: Any) -> Any:
            config = unpack(request.config.msgpack)
            answer = data_source(request.type_name, config, settings)
            block = own["data_source_schemas"][request.type_name]["block"]
            if "region" in block["attributes"] and config["region"] is None:
                config["region"] = settings["region"]
            return pb.ReadDataSource.Response(state=value(known(block, config | answer)))

        def StopProvider(self, request: Any, context: Any) -> Any:
            return pb.StopProvider.Response()

    def _arn(kind: str, state: Value) -> str:
        """As AWS would call it, since modules check the ARNs that they are given."""
        name = next((state[n] for n in ("name", "bucket") if isinstance(state.get(n), str)), "of-the-schema")
        region = state.get("region") or settings["region"]
        account = next(iter(settings.get("allowed_account_ids") or []), ACCOUNT)
        service, _, thing = kind.removeprefix("aws_").partition("_")
        if service in ("iam", "s3"):
            return f"arn:aws:iam::{account}:{thing}/{name}" if service == "iam" else f"arn:aws:s3:::{name}"
        if kind == "aws_sns_topic":
            thing = name
        elif kind == "aws_kms_key":
            thing = "key/1234abcd-12ab-34cd-56ef-1234567890ab"
        else:
            thing = f"{thing}/{name}"
        return f"arn:aws:{service}:{region}:{account}:{thing}"

    def _block(kind: str) -> Block:
        found: Block = own["resource_schemas"][kind]["block"]
        return found

    class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):  # type: ignore[misc]
        """How Terraform ends a provider; it would wait two seconds before it kills one."""

        def Shutdown(self, request: Any, context: Any) -> Any:
            if not debug:
                ended.set()
            return grpc_controller_pb2.Empty()

    ended, parent = threading.Event(), os.getppid()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    protocol.add_ProviderServicer_to_server(Provider(), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
    with tempfile.TemporaryDirectory() as folder:
        _listen(server, f"{folder}/socket", None if debug else identity)
        while not ended.wait(2) and os.getppid() == parent:
            pass  # a Terraform that was killed says nothing
        server.stop(0.1).wait()
    os._exit(0)  # nothing is left to be cleaned up


def _listen(server: Any, socket: str, identity: bytes | None) -> None:
    """Start, and say where: in go-plugin's handshake, or without identity as a variable for Terraform."""
    import grpc

    if identity is None:
        server.add_insecure_port(f"unix://{socket}")
        address = {"Network": "unix", "String": socket}
        found = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
        said = f"TF_REATTACH_PROVIDERS='{json.dumps({'registry.terraform.io/hashicorp/aws': found})}'"
    else:
        key, certificate = (match[0] for match in _PEM.finditer(identity))
        server.add_secure_port(f"unix://{socket}", grpc.ssl_server_credentials([(key, certificate)]))
        # Its version, the protocol's, where it listens, and the certificate to expect.
        encoded = "".join(certificate.decode().splitlines()[1:-1]).rstrip("=")
        said = f"1|6|unix|{socket}|grpc|{encoded}"
    server.start()
    sys.stdout.write(f"{said}\n")
    sys.stdout.flush()


_ID_WITH_REGION = re.compile(r"(.+)@([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})")
"""importRegion in https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/provider/sdkv2/region.go"""
_PEM = re.compile(rb"-----BEGIN (.+?)-----.+?-----END \1-----\n", re.S)


def _identity() -> bytes:
    """A key and its certificate in PEM, without which Terraform does not talk to a provider."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(encoding)


if __name__ == "__main__":
    serve(Path(sys.argv[1]).read_bytes(), debug="-debug" in sys.argv)
