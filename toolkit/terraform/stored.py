"""Plan bundles in S3: how an object is named, and how a plan tells an apply which one is meant.

In: what users write. Out: buckets and keys; and back. Pure; toolkit.aws.stored reads and writes.

The key ends in the SHA-256 of the content, and the whole URI is what a plan hands over. So whoever can write to the
bucket cannot change what is applied: another content has another name, and an object with another content than its
name says is refused. Neither side needs to list, and a put never replaces an object (`If-None-Match`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from toolkit.errors import BadPlanError, UsageError

SCHEME = "s3://"
SUFFIX = ".tfbundle"
MAGIC = b"TFBUNDLE-REFERENCE-1\n"
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_PREFIX = r"(?:[A-Za-z0-9!_.*'()=-]+/)*"
_LONGEST_KEY = 1024
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
_LONGEST_REFERENCE = 2048


@dataclass(frozen=True)
class Stored:
    """A bundle in S3."""

    bucket: str
    key: str
    environment: str
    sha256: str
    """Of the content, which the key names."""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def reference(self) -> bytes:
        """The content of a file that names it, for `apply --plan`. No secret."""
        return MAGIC + f"{self}\n".encode()

    def demand(self, content: bytes) -> None:
        """Demand that the content is the one that the key names.

        Raises:
            BadPlanError: It is not.
        """
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise BadPlanError(
                f"not the bundle that was saved there: its SHA-256 is {found}",
                where=str(self),
                hint="nothing was applied; the object was replaced: find out who may write to the bucket; plan again",
            )


@dataclass(frozen=True)
class Folder:
    """Where bundles are put: a bucket, and a prefix that is empty or ends in a slash."""

    bucket: str
    prefix: str

    def object(self, environment: str, content: bytes) -> Stored:
        """The object for a bundle of an environment.

        Raises:
            UsageError: The prefix is too long.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        return Stored(self.bucket, f"{self.prefix}{environment}/{sha256}{SUFFIX}", environment, sha256)


def is_stored(text: str) -> bool:
    """Whether an option names S3 rather than a file."""
    return text[: len(SCHEME)].lower() == SCHEME


def folder(text: str, *, option: str) -> Folder:
    """Where `--out s3://BUCKET/PREFIX/` puts bundles.

    Raises:
        UsageError: It names nothing of the kind.
    """
    found = re.fullmatch(rf"s3://({_BUCKET})(?:/({_PREFIX}))?", text)
    if found is None:
        raise UsageError(
            f"{option}: {text!r} is not a prefix in S3",
            hint="expected s3://BUCKET/PREFIX/ with a slash at the end, where PREFIX has letters, digits and "
            "!_.*'()=- only; the object is named after the environment and its SHA-256",
        )
    prefix = found[2] or ""
    if len(prefix) > _LONGEST_KEY - 200:
        raise UsageError(f"{option}: a prefix of {len(prefix)} characters", hint="expected at most 824 characters")
    return Folder(found[1], prefix)


def stored(text: str, *, option: str) -> Stored:
    """The object that `apply --plan s3://…` names.

    Raises:
        UsageError: It is not such a name: it lacks the SHA-256, for instance.
    """
    found = re.fullmatch(
        rf"s3://({_BUCKET})/({_PREFIX}([a-z0-9](?:[a-z0-9_-]{{0,62}}[a-z0-9])?)/([0-9a-f]{{64}}){re.escape(SUFFIX)})",
        text,
    )
    if found is None or len(found[2]) > _LONGEST_KEY:
        raise UsageError(
            f"{option}: {text!r} does not name a saved plan",
            hint="expected s3://BUCKET/PREFIX/ENV/SHA256.tfbundle as `toolkit plan ENV --out s3://BUCKET/PREFIX/` "
            "prints it (or its --reference file): the SHA-256 says which plan is meant",
        )
    return Stored(found[1], found[2], found[3], found[4])


def is_reference(content: bytes) -> bool:
    """Whether a file's content is a reference."""
    return content.startswith(MAGIC)


def referenced(content: bytes, where: str) -> Stored:
    """The object that a reference names.

    Raises:
        BadPlanError: It is damaged.
    """
    try:
        if len(content) > _LONGEST_REFERENCE:
            raise UsageError("too long")
        line = content[len(MAGIC) :].decode("ascii")
        found = stored(line.removesuffix("\n"), option="")
        if found.reference != content:
            raise UsageError("more than a line")
    except (UnicodeDecodeError, UsageError) as e:
        raise BadPlanError(
            "a reference to a plan bundle that is damaged",
            where=where,
            hint="nothing was applied; make one with `toolkit plan ENV --out s3://BUCKET/PREFIX/ --reference FILE`",
        ) from e
    return found
