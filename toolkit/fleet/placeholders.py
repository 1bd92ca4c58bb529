"""What names an environment in its texts, replaced, so that the same change reads the same in all of them.

In: an environment's texts. Out: texts in which its name, its account and the region are placeholders ("«region»"), and
back. A sign of a placeholder that was there already is doubled, so that two texts that differ in anything else never
become one. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from toolkit.fleet.entries import ATTRIBUTES, EVIDENCE, PREVIOUS, REMEDY, SUBJECT, SUMMARY, Key, mapped

ENVIRONMENT, ACCOUNT, REGION, HOME = "«environment»", "«account»", "«region»", "«home region»"


_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_KEYS = re.compile(r'(\["(?:[^"\\]|\\.)*"\])')
_PLACEHOLDERS = re.compile(f"««|»»|{ENVIRONMENT}|{ACCOUNT}|{REGION}|{HOME}")
_VARYING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"
    r"|(?<!\d)\d{12}(?!\d)"
    r"|\d+(?:\.\d+)?(?=m?s\b)"
)
"""What differs between errors that say the same: ids of requests and locks, times, accounts, durations."""


def has_placeholders(key: Key) -> bool:
    """Whether a key has a placeholder, or a doubled sign of one."""
    return any("«" in text or "»" in text for text in key)


class Names:
    """What one environment's texts become."""

    def __init__(self, environment: str, account: str | None, home: str | None) -> None:
        self.environment, self.account, self.home = environment, account, home
        self._name = _whole(environment)
        self._account = _whole(account) if account else None
        signs = ("«", "»", environment, account, home, home and home.replace("-", "_"))
        self._signs = re.compile("|".join(re.escape(sign) for sign in signs if sign))

    def plain(
        self, key: Key, attributes: Sequence[Sequence[Any]], region: str, *, keep: bool = False
    ) -> tuple[Key, bool]:
        """A key without what names the environment, and whether its name was in there.

        Args:
            key: Of an entry.
            attributes: Path, before, after, and whether it forces a replacement.
            region: Where it is.
            keep: Keep the environment's name.
        """
        named = False
        label = region.replace("-", "_")

        def plain(text: str) -> str:
            nonlocal named
            if not self._is_touched(text, region, label):
                return text
            text = self._without(text, region)
            if keep or self.environment not in text:
                return text
            text, number = self._name.subn(ENVIRONMENT, text)
            named = named or number > 0
            return text

        def address(text: str) -> str:
            # Names of modules and resources are ours; what is in a key is the environment's.
            parts = _KEYS.split(text)
            return "".join(plain(part) if n % 2 else self._regional(part, region) for n, part in enumerate(parts))

        values = _ENCODE(attributes) if attributes else ""
        if values and self._is_touched(values, region, label):
            values = _ENCODE(mapped(attributes, plain))
        texts = list(key)
        texts[ATTRIBUTES] = values
        texts[SUBJECT] = address(texts[SUBJECT])
        texts[PREVIOUS] = address(texts[PREVIOUS])
        for n in (SUMMARY, EVIDENCE, REMEDY):
            texts[n] = plain(texts[n]) if texts[n] else ""
        return tuple(texts), named

    def literal(self, region: str | None) -> Callable[[str], str]:
        """What a text with placeholders is in this environment, and in this region if it is in one alone."""
        known = {ENVIRONMENT: self.environment, ACCOUNT: self.account, REGION: region, HOME: self.home}

        def one(found: re.Match[str]) -> str:
            if len(found[0]) == 2:
                return found[0][0]
            name = known[found[0]]
            after = found.string[: found.start()].endswith("_") and found[0] in (REGION, HOME)
            return found[0] if name is None else name.replace("-", "_") if after else name

        def literal(text: str) -> str:
            return _PLACEHOLDERS.sub(one, text) if "«" in text or "»" in text else text

        return literal

    def said(self, error: Mapping[str, Any]) -> tuple[str, ...]:
        """What of an error is the same in all environments that fail alike."""
        texts = (str(error.get(name) or "") for name in ("code", "message", "next"))
        return tuple(_VARYING.sub("", self._name.sub(ENVIRONMENT, text)) for text in texts)

    def _without(self, text: str, region: str) -> str:
        text = self._regional(text, region)
        return self._account.sub(ACCOUNT, text) if self._account else text

    def _regional(self, text: str, region: str) -> str:
        if "«" in text or "»" in text:
            text = text.replace("«", "««").replace("»", "»»")
        return _regional(text, region, self.home)

    def _is_touched(self, text: str, region: str, label: str) -> bool:
        """Whether anything in a text may have to be replaced; most texts have nothing."""
        here = region and (region in text or label in text)
        return bool(here or self._signs.search(text))


def _whole(name: str) -> re.Pattern[str]:
    """A name that is no part of a longer word, nor of a placeholder."""
    return re.compile(rf"(?<![A-Za-z0-9«]){re.escape(name)}(?![A-Za-z0-9»])")


def _regional(text: str, region: str, home: str | None) -> str:
    """Text with placeholders for a region and, where that is another one, the home region.

    After an underscore it is written as in the label of a module call ("guardduty_eu_west_1"), else as AWS writes it:
    so `Names.literal` can tell which it was.
    """
    for name, placeholder in ((region, REGION), (home, HOME)):
        if name and name in text:
            text = _region(name).sub(placeholder, text)
        if name and (label := name.replace("-", "_")) in text:
            text = _label(label).sub(placeholder, text)
    return text


@cache
def _region(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9«_]){re.escape(name)}(?![A-Za-z0-9»])")


@cache
def _label(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=_){re.escape(name)}(?![A-Za-z0-9»])")
