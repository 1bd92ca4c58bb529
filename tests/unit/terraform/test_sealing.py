"""Plan bundles encrypted at rest: only the right key opens them, and no byte can be changed unnoticed."""

from __future__ import annotations

import base64
import os

import pytest

from toolkit.errors import BadPlanError, UsageError
from toolkit.terraform.sealing import Keys, is_sealed, key_from, seal, unseal

KEY = bytes(range(32))
DATA = b"PK\x03\x04 not for everybody"


class FakeKms:
    """Data keys that are their own encryption, spelt backwards."""

    def generate(self, key_id: str) -> tuple[bytes, bytes]:
        assert key_id == "alias/plans"
        return KEY, KEY[::-1]

    def decrypt(self, encrypted: bytes) -> bytes:
        return encrypted[::-1]


def test_with_a_key_of_the_environment():
    sealed = seal(DATA, "prod", Keys(KEY))
    assert is_sealed(sealed)
    assert b"everybody" not in sealed
    assert KEY not in sealed
    assert unseal(sealed, "x", Keys(KEY)) == DATA


def test_with_a_data_key_of_kms():
    keys = Keys(kms_key_id="alias/plans", data_keys=lambda name: FakeKms() if name == "prod" else pytest.fail(name))
    sealed = seal(DATA, "prod", keys)
    assert unseal(sealed, "x", Keys(data_keys=lambda _: FakeKms())) == DATA


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
