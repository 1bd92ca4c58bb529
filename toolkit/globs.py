"""Patterns with wildcards: what they match, whether one covers another, whether two meet.

In: patterns as users or AWS wrote them. Out: answers. Pure. Nothing here backtracks: all places to which a pattern may
have been read are followed at once, as the bits of one number, so many stars cost no more than one. A regular
expression made from such a pattern takes time that multiplies with each star.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Wild:
    """A wildcard."""

    many: bool
    """Any number of characters, also none; else exactly one."""
    colon: bool = True
    """Whether colons are among them."""


@dataclass(frozen=True)
class Unknown:
    """A text that is known only later, a policy variable: it may be anything, and nothing else is sure to cover it."""

    name: str
    default: str | None = None
    """What it is where it has no value; None: then the whole pattern matches nothing."""


Symbol = str | Wild | Unknown
"""One character that stands for itself, or one of the others."""

STAR, MARK = Wild(many=True), Wild(many=False)
_OTHER = ""
"""Stands for all the characters that a pattern does not name."""


@dataclass(frozen=True)
class Glob:
    """A pattern, ready to be asked."""

    symbols: tuple[Symbol, ...]

    @cached_property
    def _canonical(self) -> tuple[Symbol, ...]:
        """The same with each run of wildcards in one order (`*?*` is `?*`), and no star beside another."""
        found: list[Symbol] = []
        for symbol in self.symbols:
            last = found[-1] if found else None
            if isinstance(symbol, Wild) and isinstance(last, Wild) and last.many:
                if symbol.many:
                    found[-1] = Wild(many=True, colon=symbol.colon or last.colon)
                    continue
                if symbol.colon == last.colon:
                    found[-1:] = [symbol, last]
                    continue
            found.append(symbol)
        return tuple(found)

    @cached_property
    def _prefix(self) -> str:
        """The characters before the first symbol that is none."""
        head = ""
        for symbol in self._canonical:
            if not isinstance(symbol, str):
                break
            head += symbol
        return head

    @cached_property
    def _letters(self) -> frozenset[Symbol]:
        return frozenset((":", *(symbol for symbol in self._canonical if isinstance(symbol, str))))

    @cached_property
    def _stars(self) -> int:
        return self._places(lambda symbol: isinstance(symbol, Wild) and symbol.many)

    @cached_property
    def _steps(self) -> dict[Symbol, int]:
        return {}

    def _places(self, holds: Callable[[Symbol], bool]) -> int:
        """One bit for each place whose symbol is such a one."""
        return sum(1 << place for place, symbol in enumerate(self._canonical) if holds(symbol))

    def _read(self, symbols: Iterable[Symbol], start: int) -> bool:
        """Whether the pattern, read up to `start`, takes in all of `symbols`."""
        reached = 1 << start
        reached |= (reached & self._stars) << 1
        for symbol in symbols:
            known = symbol if not isinstance(symbol, str) or symbol in self._letters else _OTHER
            taking = self._steps.get(known)
            if taking is None:
                taking = self._steps[known] = self._places(lambda wide, narrow=known: _absorbs(wide, narrow))  # type: ignore[misc]
            reached &= taking
            reached = ((reached & ~self._stars) << 1) | (reached & self._stars)
            reached |= (reached & self._stars) << 1
            if not reached:
                return False
        return bool(reached >> len(self._canonical) & 1)

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` matches."""
        head = len(self._prefix)
        if not text.startswith(self._prefix):
            return False
        if self._canonical[head:] == (STAR,):
            return True
        return self._read(text[head:], head)

    def covers(self, other: Glob) -> bool:
        """Whether every text that `other` matches is one that this matches; False also where it cannot be shown."""
        # Of most pairs, actions of two services, this is all there is to compare.
        if not other._prefix.startswith(self._prefix):
            return False
        head = len(self._prefix)
        return self._canonical[head:] == (STAR,) or self._read(other._canonical[head:], head)

    def overlaps(self, other: Glob) -> bool:
        """Whether some text matches both, whatever the texts that are known only later."""
        # As above.
        if not self._prefix.startswith(other._prefix[: len(self._prefix)]):
            return False
        one, two = (Glob(tuple(STAR if isinstance(s, Unknown) else s for s in g.symbols)) for g in (self, other))
        reached = 1 | (1 & two._stars) << 1
        meeting: dict[Symbol, int] = {}
        for symbol in one._canonical:
            if symbol not in meeting:
                meeting[symbol] = two._places(lambda there, here=symbol: _meets(there, here))  # type: ignore[misc]
            shared = meeting[symbol]
            if isinstance(symbol, Wild) and symbol.many:
                # It takes any run of what it shares a character with: adding carries each bit to the run's end.
                reached |= (shared + (reached & shared)) ^ shared
            else:
                reached &= shared
                reached = ((reached & ~two._stars) << 1) | (reached & two._stars)
            reached |= (reached & two._stars) << 1
            if not reached:
                return False
        return bool(reached >> len(two._canonical) & 1)


def _absorbs(wide: Symbol, narrow: Symbol) -> bool:
    """Whether whatever `narrow` stands for can be taken in by `wide`."""
    if isinstance(wide, Wild):
        if isinstance(narrow, Wild):
            return (wide.many or not narrow.many) and (wide.colon or not narrow.colon)
        if isinstance(narrow, Unknown):
            return wide.many and wide.colon
        return wide.colon or narrow != ":"
    if isinstance(wide, Unknown):
        return isinstance(narrow, Unknown) and wide.name == narrow.name and narrow.default in (None, wide.default)
    return wide == narrow


def _meets(one: Symbol, other: Symbol) -> bool:
    """Whether a character may stand for both."""
    if isinstance(one, Wild):
        return isinstance(other, Wild) or one.colon or other != ":"
    return one == other or (isinstance(other, Wild) and (other.colon or one != ":"))


@lru_cache(maxsize=8192)
def glob(text: str, *, marks: bool = True) -> Glob:
    """`*` any characters, also none; `?` exactly one, unless `marks` is False."""
    wild = {"*": STAR, "?": MARK} if marks else {"*": STAR}
    return Glob(tuple(wild.get(character, character) for character in text))


def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    return glob(one).overlaps(glob(other))


@lru_cache(maxsize=8192)
def common(one: str, other: str) -> str | None:
    """A pattern all of whose texts match both, if not all that do; None: no text does."""
    waiting, seen = [(0, 0, "")], set[tuple[int, int]]()
    while waiting:
        here, there, shared = waiting.pop()
        if (here, there) in seen:
            continue
        seen.add((here, there))
        mine, its = one[here : here + 1], other[there : there + 1]
        if not mine and not its:
            return shared
        # The last is tried first: what takes both symbols, else a star that ends, else one that takes another symbol.
        both = mine == its == "*"
        if mine == "*":
            if its and not both:
                waiting.append((here, there + 1, shared + its))
            waiting.append((here + 1, there, shared + "*" * both))
        if its == "*":
            if mine and not both:
                waiting.append((here + 1, there, shared + mine))
            waiting.append((here, there + 1, shared + "*" * both))
        if mine == its or (its == "?" and mine not in ("", "*")):
            waiting.append((here + 1, there + 1, shared + mine))
        elif mine == "?" and its not in ("", "*"):
            waiting.append((here + 1, there + 1, shared + its))
    return None
