"""Names of bundles in S3, and references to them: what is accepted says which content is meant."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import BadPlanError, UsageError
from toolkit.terraform import bundle as bundles
from toolkit.terraform.stored import Folder, Stored, folder, is_reference, is_stored, referenced, stored

SUM = "0123456789abcdef" * 4
NAMES = st.from_regex(r"[a-z0-9](?:[a-z0-9_-]{0,20}[a-z0-9])?", fullmatch=True)
PREFIXES = st.lists(st.text("abcXYZ019!_.*'()=-", min_size=1, max_size=8), max_size=4)


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("s3://example-plans", "example-plans", ""),
        ("s3://example-plans/", "example-plans", ""),
        ("s3://example-plans/ci/", "example-plans", "ci/"),
        ("s3://example-plans/ci/run=7/", "example-plans", "ci/run=7/"),
    ],
)
def test_a_prefix(text: str, bucket: str, prefix: str):
    assert folder(text, option="--out") == Folder(bucket, prefix)


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3://x",
        "S3://example-plans/",
        "s3://Example-Plans/",
        "s3://example-plans/ci",
        "s3://example-plans//",
        "s3://example-plans/ci//x/",
        "s3://example-plans/a b/",
        "s3://example-plans/a\n/",
        "s3://example-plans/ä/",
        "s3://example-plans/%2e%2e/",
        "s3://arn:aws:s3:eu-central-1:111122223333:accesspoint/x/",
        "s3://example-plans/" + "x" * 900 + "/",
    ],
)
def test_what_is_no_prefix(text: str):
    assert is_stored(text)
    with pytest.raises(UsageError) as caught:
        folder(text, option="--out")
    assert caught.value.problem.startswith("--out: ")
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "s3://example-plans/ci/",
        "s3://example-plans/ci/prod.tfbundle",
        f"s3://example-plans/ci/prod/{SUM[1:]}.tfbundle",
        f"s3://example-plans/ci/prod/{SUM.upper()}.tfbundle",
        f"s3://example-plans/{SUM}.tfbundle",
        f"s3://example-plans/ci/prod/{SUM}.tfbundle?versionId=x",
        f"s3://example-plans/ci/-prod/{SUM}.tfbundle",
        f"s3://example-plans/ci/prod/{SUM}.tfbundle\n",
    ],
)
def test_what_names_no_bundle(text: str):
    with pytest.raises(UsageError, match="does not name a saved plan") as caught:
        stored(text, option="--plan")
    assert "SHA256.tfbundle" in str(caught.value.hint)


@given(parts=PREFIXES, environment=NAMES, content=st.binary(max_size=50))
def test_what_is_named_is_found_again(parts: list[str], environment: str, content: bytes):
    place = Folder("example-plans", "".join(f"{part}/" for part in parts)).object(environment, content)
    assert stored(str(place), option="--plan") == place
    assert referenced(place.reference, "x") == place
    assert is_reference(place.reference)
    assert place.sha256 == hashlib.sha256(content).hexdigest()
    place.demand(content)
    with pytest.raises(BadPlanError, match="not the bundle that was saved there"):
        place.demand(content + b"x")


@given(position=st.integers(0, 200), byte=st.integers(0, 255))
def test_a_changed_reference_names_another_bundle_or_none(position: int, byte: int):
    whole = Stored("example-plans", f"ci/prod/{SUM}.tfbundle", "prod", SUM)
    changed = bytearray(whole.reference)
    changed[position % len(changed)] = byte
    if not is_reference(bytes(changed)):
        return
    try:
        found = referenced(bytes(changed), "x")
    except BadPlanError as e:
        assert "damaged" in e.problem
    else:
        assert (found == whole) == (bytes(changed) == whole.reference)


@pytest.mark.parametrize("more", [b"x", b"\n", b"s3://example-plans/y\n", b" " * 3000])
def test_more_than_a_reference_is_none(more: bytes):
    whole = Stored("example-plans", f"ci/prod/{SUM}.tfbundle", "prod", SUM)
    with pytest.raises(BadPlanError, match="damaged"):
        referenced(whole.reference + more, "x")


def test_a_reference_may_be_replaced_and_is_no_bundle(tmp_path: Path):
    file = tmp_path / "prod.tfbundle"
    bundles.place(file, Stored("example-plans", f"ci/prod/{SUM}.tfbundle", "prod", SUM).reference)
    assert bundles.is_bundle(file)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadPlanError):
        bundles.read(file)
