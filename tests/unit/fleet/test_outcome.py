"""The one exit code of a run over many environments."""

from __future__ import annotations

import itertools

import pytest

from toolkit.errors import ExitCode
from toolkit.fleet.outcome import ORDER, Outcome, fold


@pytest.mark.parametrize(
    ("codes", "folded"),
    [
        ((), 0),
        ((0, 0), 0),
        ((0, 2, 0), 2),
        ((2, 3), 3),
        ((3, 4), 4),
        ((4, 6), 6),
        ((6, 7), 7),
        ((7, 5), 5),
        ((5, 1), 1),
        ((1, 130), 130),
        ((64, 2), 1),  # a command of ours with a wrong command line is an error like any other
        ((-9, 4), 1),  # killed
        ((-2,), 1),
        ((99, 0), 1),
    ],
)
def test_codes_fold(codes: tuple[int, ...], folded: int):
    assert fold(codes) == folded
    assert fold(reversed(codes)) == folded


def test_any_two_codes_fold_to_the_one_that_stands_first():
    for (i, one), (j, other) in itertools.product(enumerate(ORDER), repeat=2):
        assert fold((one, other)) == ORDER[min(i, j)]


def test_every_exit_code_has_a_place():
    assert set(ORDER) == set(ExitCode) - {ExitCode.USAGE}


@pytest.mark.parametrize("code", list(ExitCode))
def test_changes_are_a_result_and_no_failure(code: ExitCode):
    assert Outcome("a", "plan", code, None, None, 0.0).failed is (code not in (0, 2))
