"""The base of every class of settings, and what does not fit between two of them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of every settings class: frozen, strict, no unknown key.

    Each field is a variable of the component's module with the same name, the same meaning and the same default,
    and carries a full-sentence `description`, from which tables and the JSON Schema are generated. The default is
    the secure value, so an empty block meets every CIS 7.0 requirement that the component serves.
    Cross-field rules are `model_validator`s that raise ValueError with one sentence stating what is accepted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Mismatch:
    """Something in a component's settings that does not go with what other components are set to; an error.

    Attributes:
        setting: Path below the component's block ("users", "anna", "groups", 0).
        problem: What is wrong, with the value.
        expected: What would be accepted.
        guess: The nearest valid spelling.
    """

    setting: tuple[str | int, ...]
    problem: str
    expected: str
    guess: str | None = None
