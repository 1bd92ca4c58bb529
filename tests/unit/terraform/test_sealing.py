"""Plan bundles encrypted at rest: only the right key opens them, and no byte can be changed unnoticed."""

from __future__ import annotations

import base64
import os

import pytest

from toolkit.errors import BadPlanError, ExitCode, UsageError
from toolkit.terraform.sealing import Keys, is_sealed, key_from, seal, unseal

KEY = bytes(range(32))
DATA = b"PK\x03\x04 not for everybody"


class FakeKms:
    """Data keys that are their own encryption, spelt backwards behind the name of the key that made them."""

    def generate(self, key_id: str) -> tuple[bytes, bytes]:
        return KEY, key_id.encode() + b"|" + KEY[::-1]

    def decrypt(self, encrypted: bytes, key_id: str | None) -> bytes:
        made_by, _, key = encrypted.partition(b"|")
        if key_id not in (None, made_by.decode()):
            raise BadPlanError(f"not encrypted with the KMS key {key_id}")
        return key[::-1]


def kms(key_id: str | None = None, key: bytes | None = None) -> Keys:
    return Keys(key, key_id, lambda name: FakeKms() if name == "prod" else pytest.fail(name))


def test_with_a_key_of_the_environment():
    sealed = seal(DATA, "prod", Keys(KEY))
    assert is_sealed(sealed)
    assert b"everybody" not in sealed
    assert KEY not in sealed
    assert unseal(sealed, "x", Keys(KEY)) == DATA


def test_with_a_data_key_of_kms():
    sealed = seal(DATA, "prod", kms("alias/plans"))
    assert unseal(sealed, "x", kms()) == DATA


BUNDLES: dict[str, bytes] = {
    "not sealed": DATA,
    "sealed with the key": seal(DATA, "prod", Keys(KEY)),
    "sealed with another key": seal(DATA, "prod", Keys(KEY[::-1])),
    "sealed with the KMS key": seal(DATA, "prod", kms("alias/plans")),
    "sealed with another KMS key": seal(DATA, "prod", kms("alias/others")),
}
GIVEN: dict[str, tuple[Keys, set[str]]] = {
    # No key demands nothing; what KMS can decrypt is no secret from who asks.
    "nothing": (kms(), {"not sealed", "sealed with the KMS key", "sealed with another KMS key"}),
    "a key": (kms(key=KEY), {"sealed with the key"}),
    "a KMS key": (kms("alias/plans"), {"sealed with the KMS key"}),
    "a KMS key and a key": (kms("alias/plans", KEY), {"sealed with the KMS key"}),
}


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize("given", GIVEN)
def test_a_key_that_is_given_is_the_one_that_sealed_the_bundle(given: str, bundle: str):
    """Who can replace the bundle must not choose what is applied."""
    keys, opened = GIVEN[given]
    if bundle in opened:
        assert unseal(BUNDLES[bundle], "x", keys) == DATA
        return
    with pytest.raises(BadPlanError) as caught:
        unseal(BUNDLES[bundle], "x", keys)
    assert caught.value.where == "x"
    assert caught.value.exit_code is ExitCode.BAD_PLAN


def test_a_bundle_that_is_not_sealed_is_no_bundle_of_the_key():
    with pytest.raises(BadPlanError, match="not encrypted, though the key of TOOLKIT_BUNDLE_KEY is given"):
        unseal(DATA, "x", Keys(KEY))
    with pytest.raises(BadPlanError, match="not encrypted, though the KMS key alias/plans is given"):
        unseal(DATA, "x", kms("alias/plans"))
    with pytest.raises(BadPlanError, match="encrypted with a data key of KMS, not with the key of TOOLKIT_BUNDLE_KEY"):
        unseal(BUNDLES["sealed with another KMS key"], "x", kms(key=KEY))
    with pytest.raises(
        BadPlanError, match="encrypted with the key of TOOLKIT_BUNDLE_KEY, not with the KMS key alias/p"
    ):
        unseal(BUNDLES["sealed with the key"], "x", kms("alias/plans"))


def test_two_seals_of_the_same_are_different():
    assert seal(DATA, "prod", Keys(KEY)) != seal(DATA, "prod", Keys(KEY))


def test_another_key_opens_nothing():
    with pytest.raises(BadPlanError, match="another key, or the bundle was changed"):
        unseal(seal(DATA, "prod", Keys(KEY)), "x", Keys(KEY[::-1]))


def test_no_key_is_said():
    with pytest.raises(BadPlanError, match="no key is given") as caught:
        unseal(seal(DATA, "prod", Keys(KEY)), "x", Keys())
    assert "TOOLKIT_BUNDLE_KEY" in str(caught.value.hint)


def test_every_single_changed_byte_is_noticed():
    sealed = seal(DATA, "prod", Keys(KEY))
    for position in range(18, len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(BadPlanError):
            unseal(bytes(changed), "x", Keys(KEY))


@pytest.mark.parametrize("cut", [18, 30, 100, 130])
def test_a_truncated_one_is_refused(cut: int):
    with pytest.raises(BadPlanError):
        unseal(seal(DATA, "prod", Keys(KEY))[:cut], "x", Keys(KEY))


@pytest.mark.parametrize("text", ["short", base64.b64encode(b"x" * 31).decode(), "=" * 44, "ä" * 44])
def test_what_is_no_key_is_a_usage_error_and_not_repeated(text: str):
    with pytest.raises(UsageError) as caught:
        key_from({"TOOLKIT_BUNDLE_KEY": text})
    assert text not in str(caught.value)


def test_a_key_comes_from_the_environment():
    key = os.urandom(32)
    assert key_from({"TOOLKIT_BUNDLE_KEY": base64.b64encode(key).decode()}) == key
    assert key_from({}) is None
