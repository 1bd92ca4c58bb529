"""What guards want to know of the account: a fact is a question that says how it is answered.

In: a `Source`, which the inventory of `toolkit.aws` is. Out: answers, each of the type of its question. Pure, as the
records of Terraform's types are: nothing here calls AWS. All questions about a plan are put before any of it is judged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast

from toolkit.resources.reading import Account, Live, Unreadable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(Account, Protocol):
    """One account to read facts from."""

    def find(self, kind: str, region: str, planned: Mapping[str, Any]) -> Live | Unreadable | None:
        """The resource of a type that has the key of a planned one; None: AWS says that there is none."""

    def contents(self, kind: str, region: str, values: Mapping[str, Any]) -> str | Unreadable | None:
        """What a resource with these values holds, for people; None: nothing, or there is no such resource."""

    def answered(self, read: Callable[[Source], T]) -> T | Unreadable:
        """What comes of a question about more than one type's resources."""


class Wanted(ABC, Generic[T_co]):
    """A question about the account, answered by a T_co. Each is a frozen dataclass: equal ones are put once."""

    @property
    @abstractmethod
    def what(self) -> str:
        """What is wanted, for people, as the beginning of "… cannot be read"."""

    @abstractmethod
    def read(self, source: Source) -> T_co | Unreadable:
        """The answer. A fact that takes several reads, one after the other, is one question.

        Raises:
            UnreadableError: Something could not be read; it is never taken for an absence.
        """


class Facts:
    """Answers to what was wanted."""

    def __init__(self, answers: Mapping[Wanted[Any], Any]) -> None:
        """Args:
        answers: Question → answer.
        """
        self._answers = answers

    def __getitem__(self, wanted: Wanted[T]) -> T:
        """The answer; raises KeyError for a question that no guard's `needs` has."""
        return cast(T, self._answers[wanted])

    def also(self, wanted: Wanted[T], answer: T) -> Facts:
        """These, and an answer that is part of another one."""
        return Facts({**self._answers, wanted: answer})
