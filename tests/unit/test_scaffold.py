"""`make component`: a copy of the repository, given a new component, renders and passes the tests of components."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from toolkit.components.base import Scope

REPOSITORY = Path(__file__).parents[2]
FOLDERS = (
    "modules",
    "templates",
    "toolkit",
    "environments",
    "docs",
    "scripts",
    "tests/plans",
    "tests/provider5",
    "tests/truth_table",
)
FILES = (
    "CHANGELOG.md",
    "README.md",
    "pyproject.toml",
    "tests/applied.json",
    "tests/golden/everything/environment.yaml",
    "tests/audited.json",
    "tests/profiles.json",
    "tests/truth.json",
    "tests/unit/reports/manifest.json",
    "tests/provider6/schema.json.gz",
)
TESTS = ("tests/unit/test_contract.py", "tests/unit/docs/test_module_readmes.py")
NAME, TYPES = "zeta_things", "aws_iam_account_alias aws_ssm_service_setting"
COMMAND = ("scripts/component.py", "new", NAME, "--types", TYPES, "--purpose", "Everything is well.")


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scripts_component", REPOSITORY / "scripts" / "component.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def component() -> Iterator[ModuleType]:
    yield script()
    del sys.modules["scripts_component"]


def run(copy: Path, *arguments: str) -> SimpleNamespace:
    environ = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environ, capture_output=True, text=True, check=False
    )
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, and a component of two types that the scaffold wrote; what is generated is not."""
    root = tmp_path_factory.mktemp("scaffold") / "clone"
    # With what Python has compiled: each command would do it again, in four seconds.
    ignored = shutil.ignore_patterns(".terraform*", ".toolkit")
    for folder in FOLDERS:
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=ignored)
    for file in (*FILES, *TESTS):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, root / file)
    (root / "tests/unit/components").mkdir(parents=True)
    written = run(root, *COMMAND)
    assert written.code == 0, written.err
    assert f"wrote: modules/{NAME}/main.tf\n" in written.out
    assert f"make component-plan NAME={NAME}" in written.out
    return root


def test_the_copy_renders_and_what_is_generated_can_be(copy: Path):
    for step in (("-m", "toolkit", "render"), ("scripts/derive_settings.py",), ("docs/generate.py",)):
        done = run(copy, *step)
        assert done.code == 0, done.out + done.err
    rendered = (copy / "environments" / "complete" / "rendered" / f"{NAME}.tf").read_text("utf-8")
    assert f'module "{NAME}_eu_central_1"' in rendered
    assert f"[`{NAME}`](modules/{NAME}/README.md)" in (copy / "README.md").read_text("utf-8")
    assert "`setting_id`" in (copy / "modules" / NAME / "README.md").read_text("utf-8")
    assert f"- New component `{NAME}`: everything is well.\n" in (copy / "CHANGELOG.md").read_text("utf-8")


def test_it_has_the_style_of_the_others(copy: Path):
    for check in (("check",), ("format", "--check")):
        done = run(copy, "-m", "ruff", *check, "toolkit", "tests/unit/components")
        assert done.code == 0, done.out


def test_it_passes_what_components_are_checked_by_and_says_what_is_left_to_do(copy: Path):
    """All of the contract, in the copy, but the claims of others, which take their time."""
    left = "claim or empty_block_of_everything or blocks_inside or not_imported"
    selected = f"({NAME} or not [) and not ({left})"
    done = run(
        copy, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not terraform", "-k", selected,
        *TESTS, f"tests/unit/components/test_{NAME}.py",
    )  # fmt: skip
    failed = re.findall(r"^FAILED (\S+)", done.out, re.M)
    assert [name.rpartition("::")[2] for name in failed] == ["test_nothing_of_a_scaffold_is_left_to_do"], done.out
    assert int(re.findall(r"(\d+) passed", done.out)[0]) >= 12
    for file in (f"modules/{NAME}/variables.tf", f"toolkit/components/{NAME}.py", f"modules/{NAME}/README.md"):
        assert file in done.out


def test_a_second_run_overwrites_nothing(copy: Path):
    def contents() -> dict[Path, bytes]:
        return {f: f.read_bytes() for f in copy.rglob("*") if f.is_file() and "__pycache__" not in f.parts}

    before = contents()
    again = run(copy, *COMMAND)
    assert again.code == 1
    assert again.err == f"error: the component {NAME} exists already; nothing was written\n"
    assert contents() == before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "NAME is missing: make component NAME="),
        ("Zeta", "'Zeta' is not a name: expected lowercase letters"),
        ("zeta-things", "is not a name"),
        ("zeta__things", "is not a name"),
        ("1zeta", "is not a name"),
        ("class", "is not a name"),
        ("z" * 41, "at most 40 characters"),
        ("cloudtrail", "the component cloudtrail exists already"),
        ("config_delivery", "would claim the module call config_delivery"),
        ("base", "these exist already, and nothing was written: toolkit/components/base.py"),
        ("shared", "these exist already, and nothing was written: modules/shared"),
    ],
)
def test_a_bad_name_is_refused(component: ModuleType, capsys: pytest.CaptureFixture[str], name: str, expected: str):
    assert component.main(["new", name, "--types", "aws_iam_account_alias"]) == 1
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "TYPES is missing"),
        (["--types", "aws_iam_account_alias", "--scope", "every-regoin"], "did you mean every-region?"),
        (["--types", "aws_iam_account_alias", "--purpose", "No full stop"], "PURPOSE is one sentence"),
    ],
)
def test_bad_options_are_refused(
    component: ModuleType, capsys: pytest.CaptureFixture[str], options: list[str], expected: str
):
    assert component.main(["new", NAME, *options]) == 1
    assert expected in capsys.readouterr().err
    assert not (REPOSITORY / "modules" / NAME).exists()


def test_a_type_that_the_provider_lacks_is_refused_with_the_nearest(component: ModuleType, monkeypatch: Any):
    known = SimpleNamespace(every_type=lambda: {"aws_iam_account_alias": {}})
    monkeypatch.setattr(component, "_script", lambda _: known)
    with pytest.raises(component.ProblemError, match=r"aws_iam_acount_alias \(did you mean aws_iam_account_alias\?\)"):
        component.checked_types(["aws_iam_acount_alias"])


def test_a_new_type_gets_a_record_its_service_schema_and_price(component: ModuleType):
    new = {"aws_zeta_thing": {"name": "string required", "rule": "block set", "rule.x": "bool optional"}}
    changed = component.edits("zeta", new, "Everything.", date(2026, 11, 29))
    scope: dict[str, Any] = {}
    exec(changed[Path("toolkit/resources/zeta.py")], scope)
    (record,) = scope["TYPES"]
    assert record.name == "aws_zeta_thing"
    assert list(record.no_weaker_side.values()) == ["name rule"]
    assert '    "sns",\n    "ssm",\n    "zeta",\n)' in changed[Path("toolkit/resources/registry.py")]
    assert '"rule.x": "bool optional"' in changed[Path("tests/provider5/schema.json")]
    assert record.price.checked == "2026-11-29"
    # A service that has records gets one more.
    more = component.edits("zeta", {"aws_macie2_thing": {}}, "Everything.", date(2026, 11, 29))
    assert Path("toolkit/resources/macie2.py") in more
    one = component.edits("zeta", {"aws_inspector_thing": {}}, "Everything.", date(2026, 11, 29))
    assert (
        "from toolkit.resources.price import Free, Price, created, either, grows\n"
        in (one[Path("toolkit/resources/inspector.py")])
    )


@pytest.mark.parametrize("scope", Scope, ids=lambda s: s.name)
def test_a_module_call_fits_its_scope(component: ModuleType, scope: Scope):
    types = {"aws_zeta_thing": {"names": "set(string) required", "on": "bool required", "most": "number required"}}
    files = component.scaffold("zeta", types, scope, "Everything.", date(2026, 11, 29))
    template = files[Path("templates/components/zeta.tf.j2")]
    assert ("for region in" in template) == (scope is Scope.EVERY_REGION)
    assert ("where_global" in template) == (scope is Scope.GLOBAL_REGION)
    compiled = files[Path("toolkit/components/zeta.py")]
    assert "names: Annotated[tuple[str, ...], Field(strict=False)] = Field(\n        ()," in compiled
    found: dict[str, Any] = {"__name__": "zeta_checked"}
    exec(compile(compiled, "zeta.py", "exec"), found)
    # From where each is defined, which the type checker insists on.
    for module, names in re.findall(r"^from (toolkit\.\S+) import (.+)$", compiled, re.M):
        assert [found[name].__module__ for name in names.split(", ")] == [module] * len(names.split(", "))


def test_the_sample_of_a_component_has_what_it_requires(component: ModuleType):
    text = component.sample("key_rotation")
    assert "activity_alarms:" in text
    assert "cloudtrail:" in text
    assert "macie" not in text
