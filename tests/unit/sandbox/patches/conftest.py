from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from moto import mock_aws

from toolkit.sandbox import patches
from toolkit.sandbox.patches.base import Patch

Check = Callable[[Sequence[Patch], Mapping[str, Callable[[], bool]], str], None]


@pytest.fixture(params=[True, False], ids=["patched", "moto's own"])
def check(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Check:
    """That a case, which calls moto through boto3, is answered as AWS answers with the patches, and not without them.

    When the second fails, moto has learnt it: delete the patch.
    """

    def run(of_service: Sequence[Patch], cases: Mapping[str, Callable[[], bool]], name: str) -> None:
        (patch,) = (patch for patch in of_service if patch.name == name)
        assert {patch.name for patch in of_service} == set(cases)
        if request.param:
            _apply(monkeypatch)
        elif not hasattr(patch.owner, patch.method):
            return  # moto has no such call at all; calling it would go out to the network
        with mock_aws():
            as_aws = cases[name]()
        assert as_aws is request.param, f"moto now does this by itself: delete the patch {name}" if as_aws else name

    return run


def _apply(monkeypatch: pytest.MonkeyPatch) -> None:
    for patch in patches.PATCHES:
        original = getattr(patch.owner, patch.method, None)
        monkeypatch.setattr(patch.owner, patch.method, patch.correct(original), raising=False)  # type: ignore[arg-type]
    for route in patches.ROUTES:
        monkeypatch.setitem(route.paths, route.pattern, route.dispatch)
