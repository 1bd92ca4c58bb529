"""Policy documents as typed, frozen models, read strictly.

In: JSON text or the object parsed from it. Out: `PolicyDocument`, or a `PolicyError` that names the element, what is
wrong with it and what is accepted. Never touches a file or AWS.

Source (IAM User Guide, by page title): "Grammar of the IAM JSON policy language" and the pages of each element.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from toolkit.errors import ToolkitError
from toolkit.iam.conditions import NULL, OPERATORS, Condition, SetOperator
from toolkit.spelling import nearest


class PolicyError(ToolkitError):
    """A document that AWS's policy grammar does not accept."""


class PolicyKind(Enum):
    """Which elements a document may have."""

    IDENTITY = "identity-based policy"
    """Also permissions boundaries and session policies: no Principal, no Id."""

    RESOURCE = "resource-based policy"
    """Principal required."""

    TRUST = "role trust policy"
    """Principal required, no Resource: the role itself is meant."""

    SCP = "service control policy"
    """No Principal."""

    RCP = "resource control policy"
    """Principal is "*"."""

    @property
    def described(self) -> str:
        """With its article, for sentences."""
        return f"{'an' if self is PolicyKind.IDENTITY else 'a'} {self.value}"


@dataclass(frozen=True)
class Principals:
    """A Principal or NotPrincipal element; `"*"` and `{"AWS": "*"}` both set `everyone`."""

    everyone: bool = False
    aws: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_user: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """One statement; exactly one of actions/not_actions and of resources/not_resources is non-empty.

    Attributes:
        index: Its place in the document, from 0.
        sid: None where it has none.
        principals, not_principals: None in documents that have no such element.
    """

    index: int
    sid: str | None
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: Principals | None = None
    not_principals: Principals | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """Its Sid, or its place for people."""
        return self.sid or f"statement {self.index + 1}"


@dataclass(frozen=True)
class PolicyDocument:
    """A policy.

    Attributes:
        name: What explanations call it (policy name or ARN).
        version: The language version; only `2012-10-17` has policy variables. A document without one is 2008-10-17.
    """

    name: str
    kind: PolicyKind
    version: Literal["2008-10-17", "2012-10-17"]
    statements: tuple[Statement, ...]
    id: str | None = None

    @property
    def variables(self) -> bool:
        """Whether `${…}` is a variable in this document."""
        return self.version == "2012-10-17"

    @classmethod
    def parse(
        cls, source: str | Mapping[str, object], *, name: str = "policy", kind: PolicyKind = PolicyKind.IDENTITY
    ) -> PolicyDocument:
        """Read a document.

        Args:
            source: JSON text, or the object it stands for.
            name: What to call it in errors and explanations.
            kind: Which elements it may have.

        Raises:
            PolicyError: Not JSON, an element that is unknown, repeated, missing, contradictory or malformed.
        """
        return _Reader(name, kind).document(source)

    def without(self, sid: str) -> PolicyDocument:
        """The same document less the statement of that Sid; KeyError where there is none."""
        rest = tuple(statement for statement in self.statements if statement.sid != sid)
        if len(rest) == len(self.statements):
            raise KeyError(sid)
        return replace(self, statements=rest)


_DOCUMENT = ("Version", "Id", "Statement")
_STATEMENT = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_PRINCIPAL = {"AWS": "aws", "Service": "service", "Federated": "federated", "CanonicalUser": "canonical_user"}
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?_.-]+")
_PRINCIPAL_ID = re.compile(r"\d{12}|arn:[^:]*:(iam|sts)::(\d{12}|[^:]*):.+|A[A-Z0-9]{15,}")
_SID = re.compile(r"[A-Za-z0-9]*")


@dataclass(frozen=True)
class _Reader:
    """Reads one document; carries its name and kind so that every error can say where it is."""

    name: str
    kind: PolicyKind
    path: str = field(default="")

    def fail(self, problem: str, hint: str | None = None) -> PolicyError:
        return PolicyError(problem, where=f"{self.name}: {self.path}" if self.path else self.name, hint=hint)

    def at(self, path: str) -> _Reader:
        return replace(self, path=f"{self.path}.{path}" if self.path else path)

    def document(self, source: str | Mapping[str, object]) -> PolicyDocument:
        parsed: object = source
        if isinstance(source, str):
            try:
                parsed = json.loads(source, object_pairs_hook=self._no_repeats, parse_constant=self._no_constant)
            except RecursionError as error:
                raise self.fail("is nested too deeply to be a policy") from error
            except json.JSONDecodeError as error:
                raise self.fail(
                    f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
                    "A policy document is one JSON object.",
                ) from error
        body = self._object(parsed, _DOCUMENT)
        version = body.get("Version", "2008-10-17")
        if version not in ("2008-10-17", "2012-10-17"):
            raise self.at("Version").fail(
                f"{version!r} is not a policy language version", 'Use "2012-10-17" (or "2008-10-17").'
            )
        identifier = body.get("Id")
        if identifier is not None:
            if self.kind in (PolicyKind.IDENTITY, PolicyKind.SCP, PolicyKind.RCP):
                raise self.at("Id").fail(f"{self.kind.described} has no Id", "Remove it.")
            if not isinstance(identifier, str):
                raise self.at("Id").fail(f"{identifier!r} is not text")
        if "Statement" not in body:
            raise self.fail("no Statement", "A policy has at least one statement.")
        statement = body["Statement"]
        items = statement if isinstance(statement, list) else [statement]
        if not items:
            raise self.at("Statement").fail("is empty", "A policy has at least one statement.")
        statements = tuple(self.at(f"Statement[{i}]").statement(i, item) for i, item in enumerate(items))
        seen: set[str] = set()
        for parsed_statement in statements:
            if parsed_statement.sid and parsed_statement.sid in seen:
                raise self.at(f"Statement[{parsed_statement.index}].Sid").fail(
                    f"{parsed_statement.sid!r} is used twice", "Each Sid is unique within its policy."
                )
            seen.add(parsed_statement.sid or "")
        return PolicyDocument(
            self.name,
            self.kind,
            "2012-10-17" if version == "2012-10-17" else "2008-10-17",
            statements,
            identifier,
        )

    def statement(self, index: int, item: object) -> Statement:
        body = self._object(item, _STATEMENT)
        sid = body.get("Sid")
        if sid is not None and not isinstance(sid, str):
            raise self.at("Sid").fail(f"{sid!r} is not text")
        if self.kind not in (PolicyKind.RESOURCE, PolicyKind.TRUST) and sid and not _SID.fullmatch(sid):
            raise self.at("Sid").fail(f"{sid!r} has other characters than A-Z, a-z and 0-9")
        effect = body.get("Effect")
        if effect not in ("Allow", "Deny"):
            given = "no Effect" if effect is None else f"{effect!r} is not an effect"
            raise self.at("Effect").fail(given, 'Effect is "Allow" or "Deny".')
        actions = self._either(body, "Action", "NotAction", "Every statement has one of the two.")
        for element, values in zip(("Action", "NotAction"), actions, strict=True):
            for value in values:
                if not _ACTION.fullmatch(value):
                    raise self.at(element).fail(
                        f"{value!r} is not an action", 'An action is "service:Name", wildcards allowed, or "*".'
                    )
        if self.kind is PolicyKind.TRUST:
            for element in ("Resource", "NotResource"):
                if element in body:
                    raise self.at(element).fail("a role trust policy has no resource: it means its own role")
            resources: tuple[tuple[str, ...], tuple[str, ...]] = (("*",), ())
        else:
            resources = self._either(body, "Resource", "NotResource", "Every statement has one of the two.")
        for element, values in zip(("Resource", "NotResource"), resources, strict=True):
            for value in values:
                if value != "*" and not value.startswith("arn:"):
                    raise self.at(element).fail(f"{value!r} is not a resource", 'A resource is an ARN or "*".')
        principals, not_principals = self._principals(body)
        return Statement(
            index=index,
            sid=sid or None,
            effect="Allow" if effect == "Allow" else "Deny",
            actions=actions[0],
            not_actions=actions[1],
            resources=resources[0],
            not_resources=resources[1],
            principals=principals,
            not_principals=not_principals,
            conditions=self.at("Condition").conditions(body["Condition"]) if "Condition" in body else (),
        )

    def conditions(self, block: object) -> tuple[Condition, ...]:
        if not isinstance(block, Mapping):
            raise self.fail(f"{block!r} is not an object", 'Write {"Operator": {"key": "value"}}.')
        found: list[Condition] = []
        for written, keys in block.items():
            here = self.at(str(written))
            if not isinstance(keys, Mapping):
                raise here.fail(f"{keys!r} is not an object", 'Write {"key": "value"}.')
            for key, value in keys.items():
                found.append(here.at(str(key)).condition(str(written), str(key), value))
        return tuple(found)

    def condition(self, written: str, key: str, value: object) -> Condition:
        prefix, _, base = written.rpartition(":")
        set_operators = {operator.value.lower(): operator for operator in SetOperator}
        lowered = base.lower()
        if_exists = lowered.endswith("ifexists")
        operator = OPERATORS.get(lowered.removesuffix("ifexists"))
        if operator is None or prefix.lower() not in set_operators or (operator is NULL and (prefix or if_exists)):
            close = nearest(base, [known.name for known in OPERATORS.values()])
            raise self.fail(
                f"{written!r} is not a condition operator",
                f"Did you mean {close}?" if close else "See the IAM User Guide.",
            )
        if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(/[^:]+)?:.+", key):
            raise self.fail(f"{key!r} is not a condition key", 'A key is "service:name", such as aws:SourceIp.')
        values = self._strings(value, scalars=True)
        for item in values:
            if not operator.accepts(item):
                raise self.fail(f"{item!r} is not {operator.expects}", f"{operator.name} compares with that.")
        return Condition(operator, key, values, if_exists, set_operators[prefix.lower()])

    def _principals(self, body: Mapping[str, object]) -> tuple[Principals | None, Principals | None]:
        present = [element for element in ("Principal", "NotPrincipal") if element in body]
        if self.kind in (PolicyKind.IDENTITY, PolicyKind.SCP):
            if present:
                raise self.at(present[0]).fail(f"{self.kind.described} has no {present[0]}", "Remove it.")
            return None, None
        if len(present) != 1:
            both = "both Principal and NotPrincipal" if present else "neither Principal nor NotPrincipal"
            raise self.fail(both, f"Every statement of {self.kind.described} has one of the two.")
        principals = self.at(present[0]).principals(body[present[0]])
        if self.kind is PolicyKind.RCP and (present[0] == "NotPrincipal" or principals != Principals(everyone=True)):
            raise self.at(present[0]).fail("a resource control policy addresses everyone", 'Use "Principal": "*".')
        if self.kind is PolicyKind.TRUST and present[0] == "NotPrincipal":
            raise self.at("NotPrincipal").fail("a role trust policy has no NotPrincipal")
        return (principals, None) if present[0] == "Principal" else (None, principals)

    def principals(self, value: object) -> Principals:
        if value == "*":
            return Principals(everyone=True)
        if not isinstance(value, Mapping):
            raise self.fail(f"{value!r} is not a principal", 'Use "*" or {"AWS": …}, {"Service": …}, {"Federated": …}.')
        body = self._object(value, tuple(_PRINCIPAL))
        if not body:
            raise self.fail("is empty", 'Use "*" or {"AWS": …}, {"Service": …}, {"Federated": …}.')
        parts = {_PRINCIPAL[kind]: self.at(kind)._strings(entry) for kind, entry in body.items()}
        aws = parts.pop("aws", ())
        for entry in aws:
            if entry != "*" and ("*" in entry or "?" in entry or not _PRINCIPAL_ID.fullmatch(entry)):
                raise self.at("AWS").fail(
                    f"{entry!r} is not a principal",
                    'Use an account id, the whole ARN of a user, role or session, or "*".',
                )
        return Principals(everyone="*" in aws, aws=tuple(entry for entry in aws if entry != "*"), **parts)

    def _either(
        self, body: Mapping[str, object], positive: str, negative: str, hint: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if (positive in body) == (negative in body):
            both = "both" if positive in body else "neither"
            joined = "and" if positive in body else "nor"
            raise self.fail(f"{both} {positive} {joined} {negative}", hint)
        element = positive if positive in body else negative
        values = self.at(element)._strings(body[element])
        return (values, ()) if element == positive else ((), values)

    def _strings(self, value: object, *, scalars: bool = False) -> tuple[str, ...]:
        """A string or a list of them; with `scalars` also numbers and booleans, as condition values may be."""
        items = value if isinstance(value, list) else [value]
        if not items:
            raise self.fail("is empty", "Name at least one value.")
        texts: list[str] = []
        for item in items:
            if isinstance(item, str):
                texts.append(item)
            elif scalars and isinstance(item, bool):
                texts.append("true" if item else "false")
            elif scalars and isinstance(item, int | float):
                texts.append(str(item))
            else:
                raise self.fail(f"{item!r} is not text")
        return tuple(texts)

    def _object(self, value: object, known: tuple[str, ...]) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise self.fail(f"{value!r} is not an object")
        for key in value:
            if key not in known:
                close = nearest(str(key), known)
                raise self.fail(
                    f"unknown element {key!r}",
                    f"Did you mean {close}?" if close else f"Known here: {', '.join(known)}.",
                )
        return value

    def _no_constant(self, text: str) -> object:
        raise self.fail(f"{text} is not a JSON value")

    def _no_repeats(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        result: dict[str, object] = {}
        for key, value in pairs:
            if key in result:
                raise self.fail(f"{key!r} is repeated in one object", "Keep one: the other would be ignored.")
            result[key] = value
        return result
