"""Takes secrets and key material out of what AWS answered, so that facts can be given to auditors.

In: an answer of boto3, with the shape that AWS's model (botocore) declares for it. Out: plain data for JSON, and the
paths of what was left out. Pure. Four rules; what any of them says is left out:

1. The model marks the member as sensitive: environment variables of Lambda functions, seeds of MFA devices, pending
   passwords of databases, contacts. AWS's own tools do not log these.
   https://smithy.io/2.0/spec/documentation-traits.html#sensitive-trait
2. The model does not mark it, but its name says what it is: user data, stage variables, passwords (`_SECRET_MEMBERS`).
3. Whoever runs the account has named it so: a tag, variable or key called DB_PASSWORD.
4. The text itself has the form of one: a private key, a password in a URL, a presigned URL, a token.

Ids are no secrets, and stay: access key ids, ARNs, account ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

SENSITIVE = "(stripped: sensitive in AWS's model)"
NAMED = "(stripped: its name says that it is a secret)"
FORMED = "(stripped: looks like a secret)"

_SECRET_MEMBERS = re.compile(
    r"(?:\w*Password|\w*Passphrase|Secret|SecretString|SecretBinary|SecretKey|SecretAccessKey|SessionToken"
    r"|AuthToken|AuthorizationToken|PrivateKey\w*|KeyMaterial|Plaintext|UserData|StageVariables|variables|environment)\Z",
    re.IGNORECASE,
)
"""Members of AWS's models, whole names. Tests list what else in the models sounds like a secret, and why it is none."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {
        "password", "passwd", "pwd", "pw", "passphrase", "secret", "secrets", "token", "apikey", "cred", "creds",
        "credential", "credentials", "privatekey", "webhook",
    }
)  # fmt: skip
_SECRET_PAIRS = frozenset(
    (first, "key") for first in ("api", "private", "access", "auth", "signing", "encryption", "account", "shared")
)
_STEMS = re.compile(
    r"(?:passw(?:or)?d(?!less)|passphrase|passcode|pwd|secret(?!ar[iy]|smanager)|(?:api|access|private|auth|account)key"
    r"|(?:access|api|auth|bearer|refresh|session)token)(?!s?(?:id|arn)s?\Z)"
)
"""In names of which nothing says where a word begins: dbpassword, PGPASSWORD, clientsecret. In a single word of a name
alone: bypass_warning has another "passw"."""
_NO_VALUE = frozenset({"id", "ids", "arn", "arns"})
_PAIRS = (("Key", "Value"), ("key", "value"), ("Name", "Value"), ("name", "value"), ("TagKey", "TagValue"))
"""How AWS writes names and values that are its customers': tags, variables, parameters."""

_ASSIGNED = re.compile(
    r"""(?<![\w:/.$-])(?P<name>[\w.-]{0,40}(?:pass|pwd?|secret|token|key|cred|webhook)[\w.-]{0,40})"""
    r"""(?P<sign>\\{0,7}["']?\s*:\s*(?=\\{0,7}["'])|\\{0,7}["']\s*:\s*(?=[\[0-9])|:[ \t]+|\s*=\s*)""",
    re.IGNORECASE,
)
"""A name that a value follows, also in JSON that is a text in JSON."""
_VALUE = re.compile(
    r"""(?:"(?P<double>(?:\\.|[^"\\\n]){4,})|'(?P<single>(?:\\.|[^'\\\n]){4,})"""
    r"""|(?P<quote>\\{1,7}["'])(?P<escaped>(?:(?!(?<!\\)(?P=quote))[^\n]){4,})"""
    r"""|\[(?=(?:\s|\\{1,7}[nrt])*\\{0,7}["'0-9])(?P<list>[^\]]{4,})|(?P<number>\d{4,})(?=[\s,;&}\])]|\Z)"""
    r"""|(?!\\{0,7}["']|[{\[(])(?P<bare>(?:[^\s"'&;,\\]|\\?["'](?=\w)|\\(?!["'])){4,}))""",
    re.IGNORECASE,
)
"""A quoted value ends with the quote that began it. Looked for behind names of secrets alone, so that a text is read
once, and what is in the value of another name is looked at, too."""
_SHORTEST = 4
"""Characters of a value that is taken for a secret."""
_ELEMENT = re.compile(r"""[^\s"'\\,]{4,}""")
_REFERENCE = re.compile(
    r"arn:aws[\w-]*:[\w*-]+:[\w*?-]*:[\d*?]*:\S+|\{\{resolve:[^{}]*\}\}"
    r"|\$(?:\{[^{}]*\}|\{\{[^{}]*\}\}|\([^()]*\)|[A-Z_][A-Z0-9_]*|\.[\w.]*)"
)
"""Where a secret is kept, whole: an ARN, a dynamic reference of CloudFormation, a variable."""
_ENDPOINTS = frozenset({"endpoint", "invocationendpoint"})
"""Members that are URLs of customers, to which AWS sends: subscriptions of SNS, destinations of EventBridge."""
_BEHIND_HOST = re.compile(r"(https?://)(?:[^/?#\s]*@)?([^/?#\s]*)[/?#]+[^/?#].*", re.IGNORECASE | re.DOTALL)
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.S), FORMED),
    (re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://)[^\s/@:\"'<>]*:[^\s/@\"'<>]*@"), rf"\1{FORMED}@"),
    (
        re.compile(
            r"([?&](?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|sig|api_?key|key|token|code)=)[^&\s\"'<>]+",
            re.I,
        ),
        rf"\1{FORMED}",
    ),
    # Endpoints whose path is the secret.
    (
        re.compile(
            r"(https?://(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/"
            r"|[\w.-]+\.webhook\.office\.com/webhookb2/|outlook\.office\.com/webhook/"
            r"|events\.(?:eu\.)?pagerduty\.com/(?:integration|x-ere)/|api\.(?:eu\.)?opsgenie\.com/v1/json/\w+\?apiKey=))"
            r"[^\s\"'<>]+",
            re.I,
        ),
        rf"\1{FORMED}",
    ),
    (re.compile(r"\b(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{32,}"), FORMED),  # session tokens of STS
    (re.compile(r"((?:AKIA|ASIA)[A-Z0-9]{16}[\s:,;=\"']{1,5})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"), rf"\1{FORMED}"),
    (
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,})"),
        FORMED,
    ),
    (re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"), FORMED),
    (re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"), FORMED),  # JSON Web Tokens
    (re.compile(r"\b((?:Bearer|Basic) +)[A-Za-z0-9._~+/=-]{12,}"), rf"\1{FORMED}"),
)
"""Form → what is written instead."""


def is_secret_name(name: str) -> bool:
    """Whether whoever named a tag, a variable or a key so says that its value is a secret."""
    words = _words(name)
    if not words or words[-1] in _NO_VALUE:
        return False
    return words[-1] == "pass" or any(map(_is_secret_word, words)) or any(p in _SECRET_PAIRS for p in pairwise(words))


def _says_a_number_is_one(name: str) -> bool:
    """Whether a number of this name is a secret: a password may be, its length is not."""
    words = _words(name)
    return is_secret_name("_".join(words[-2:] if words[-1:] == ["key"] else words[-1:]))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _is_secret_word(word: str) -> bool:
    return word in _SECRET_WORDS or _STEMS.search(word) is not None


def clean_text(text: str) -> str:
    """A text without what has the form of a secret."""
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return "".join(_unassigned(text))


def _unassigned(text: str) -> Iterator[str]:
    at, done = 0, 0
    while assigned := _ASSIGNED.search(text, at):
        at, name = assigned.end(), assigned["name"]
        value = _VALUE.match(text, at) if is_secret_name(name) else None
        if value is None:
            continue
        at, kind = value.end(), str(value.lastgroup)
        values = _ELEMENT.findall(value[kind]) if kind == "list" else [value[kind]]
        if not all(_is_none(name, one) for one in values):
            yield text[done : value.start(kind)]
            yield FORMED
            done = at
    yield text[done:]


def _is_none(name: str, value: str) -> bool:
    if (number := value.rstrip("}])")).isdecimal():
        return len(number) < _SHORTEST or not _says_a_number_is_one(name)
    return value in (SENSITIVE, NAMED, FORMED) or _REFERENCE.fullmatch(value) is not None


@dataclass
class Stripped:
    """An answer as plain data."""

    data: Any = None
    paths: dict[str, None] = field(default_factory=dict)
    """Where something was left out, without indexes ("Functions[].Environment.Variables")."""
    count: int = 0
    """How many values were."""


def strip(answer: Mapping[str, Any], shape: Any = None) -> Stripped:
    """An answer, or the parameters of a call, without secrets.

    Args:
        answer: As boto3 gives or takes it.
        shape: botocore's shape of it; None where there is no model.
    """
    found = Stripped()
    found.data = _plain({k: v for k, v in answer.items() if k != "ResponseMetadata"}, shape, "", found)
    return found


def _plain(value: Any, shape: Any, path: str, found: Stripped) -> Any:
    if _is_sensitive(shape) and _says_something(value):
        return _leave_out(SENSITIVE, path, found)
    match value:
        case Mapping():
            return dict(_members(value, shape, path, found))
        case str():
            clean = clean_text(value)
            if clean != value:
                _leave_out(FORMED, path, found)
            return clean
        case bytes() | bytearray():
            return _plain(_text(bytes(value)), None, path, found)
        case datetime() | date():
            return value.isoformat()
        case Sequence():
            member = getattr(shape, "member", None) if getattr(shape, "type_name", "") == "list" else None
            return [_plain(one, member, f"{path}[]", found) for one in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return _plain(str(value), None, path, found)


def _members(value: Mapping[Any, Any], shape: Any, path: str, found: Stripped) -> Iterator[tuple[str, Any]]:
    kind = getattr(shape, "type_name", "")
    pair = next((p for p in _PAIRS if p[1] in value and is_secret_name(str(value.get(p[0], "")))), None)
    for key, one in value.items():
        name = clean_text(str(key))
        below = f"{path}.{name}" if path else name
        member = shape.members.get(key) if kind == "structure" else None
        secret = (
            bool(_SECRET_MEMBERS.match(str(key))) and not (_is_sensitive(member) or member.type_name == "structure")
            if member is not None
            # AWS's own names in policies and the like have a colon: "aws:TokenIssueTime".
            else ":" not in str(key) and is_secret_name(str(key))
        )
        label = str(value[pair[0]]) if pair is not None and key == pair[1] else None
        if (secret or label is not None) and _may_be_secret(label or str(key), one):
            yield name, _leave_out(NAMED, below, found)
            continue
        inner = shape.value if kind == "map" else member
        url = _BEHIND_HOST.fullmatch(one) if isinstance(one, str) and str(key).lower() in _ENDPOINTS else None
        if url and not _is_sensitive(inner):
            yield name, f"{url[1]}{url[2]}/{_leave_out(FORMED, below, found)}"
            continue
        yield name, _plain(one, inner, below, found)


def _is_sensitive(shape: Any) -> bool:
    return shape is not None and bool(shape.metadata.get("sensitive"))


def _leave_out(instead: str, path: str, found: Stripped) -> str:
    found.paths[path] = None
    found.count += 1
    return instead


def _says_something(value: Any) -> bool:
    return value is not None and value not in ("", [], {}, b"")


def _may_be_secret(name: str, value: Any) -> bool:
    """Whether a value under such a name can be one: no truth, no time, no measure, no reference to where it is kept."""
    if isinstance(value, str):
        return bool(value) and _REFERENCE.fullmatch(value) is None
    if isinstance(value, int) and not isinstance(value, bool):
        return len(str(value)) >= _SHORTEST and _says_a_number_is_one(name)
    return _says_something(value) and not isinstance(value, (bool, float, datetime, date))


def _text(value: bytes) -> str:
    import base64

    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(value).decode()}"
