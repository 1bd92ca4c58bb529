"""The examples of the modules' READMEs are Terraform that validates: all of them in one root module.

An example becomes a module of its own, since two of them may call a module by the same name. One that refers to a
module which it does not call itself gets that call from the example of another README. That they validate is kept
(tests/kept.py).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.kept import Kept
from toolkit.terraform.mirror import cli_config

from .test_modules import ADMITTING_5, HELPERS, MODULES, REPOSITORY, terraform

pytestmark = pytest.mark.terraform

KEPT = Kept("examples", files=("modules", "tests/modules/test_examples.py", *HELPERS), without=("tests",))
_EXAMPLE = re.compile(r"^```hcl\n(.*?)^```", re.M | re.S)
_CALL = re.compile(r'^module "(\w+)" \{\n.*?^\}\n', re.M | re.S)
_SOURCE = re.compile(r'^  source +?= "([^"]+)"', re.M)
_PROVIDERS = """\
terraform {{
  required_providers {{
    aws = {{
      source                = "hashicorp/aws"
      configuration_aliases = [{aliases}]
    }}
  }}
}}

"""


def calls(module: Path) -> dict[str, str]:
    """Label → call, of each module call in a README's examples; its source leads to a module as if from the README."""
    folder = REPOSITORY / "modules" / module
    found = {}
    for example in _EXAMPLE.findall((folder / "README.md").read_text("utf-8")):
        for call in _CALL.finditer(example):
            (source,) = _SOURCE.findall(call[0])
            target = os.path.relpath((folder / source).resolve(), REPOSITORY / "modules")
            assert Path(target) in MODULES, f"modules/{module}/README.md: {source} leads to no module"
            found[call[1]] = call[0].replace(f'"{source}"', f'"../../modules/{target}"', 1)
    return found


def with_what_it_names(example: dict[str, str], others: dict[str, str]) -> str:
    """An example's HCL, together with the calls of other READMEs that it refers to."""
    text = "\n".join(example.values())
    missing = sorted(set(re.findall(r"\bmodule\.(\w+)", text)) - set(example))
    return "\n".join([text, *(others[label] for label in missing)])


def write_root(folder: Path, modules: Iterable[Path]) -> None:
    """A root module that calls each example as a module, with a provider for each region that they name."""
    ignored = shutil.ignore_patterns(".terraform*", "tests", "README.md")
    shutil.copytree(REPOSITORY / "modules", folder / "modules", ignore=ignored)
    examples = {module: calls(module) for module in modules}
    # Where two READMEs call one, that of the outer module counts, which comes first.
    others = {label: call for example in reversed(examples.values()) for label, call in example.items()}
    main, regions = [], set()
    for module, example in examples.items():
        text = with_what_it_names(example, others)
        aliases = sorted(set(re.findall(r"\baws\.(\w+)", text)))
        regions |= set(aliases)
        label = str(module).replace("/", "_")
        (folder / "examples" / label).mkdir(parents=True)
        declared = _PROVIDERS.format(aliases=", ".join(f"aws.{alias}" for alias in aliases))
        (folder / "examples" / label / "main.tf").write_text(declared + text, encoding="utf-8")
        passed = "".join(f"\n    aws.{alias} = aws.{alias}" for alias in aliases)
        main.append(
            f'module "{label}" {{\n  source = "./examples/{label}"\n  providers = {{\n    aws = aws{passed}\n  }}\n}}\n'
        )
    main.append('provider "aws" {\n  region = "eu-central-1"\n}\n')
    for alias in sorted(regions):
        main.append(f'provider "aws" {{\n  alias = "{alias}"\n  region = "{alias.replace("_", "-")}"\n}}\n')
    (folder / "main.tf").write_text("\n".join(main), encoding="utf-8")


def test_every_module_has_an_example():
    for module in MODULES:
        assert calls(module), f"modules/{module}/README.md: a first ```hcl block that calls the module"


def validate(folder: Path, environ: dict[str, str]) -> str:
    """What Terraform says of a root module that is formatted and valid."""
    terraform(folder, environ, "fmt", "-check", "-diff", "-recursive", "examples")
    terraform(folder, environ, "init", "-backend=false", "-input=false")
    return terraform(folder, environ, "validate", "-no-color").strip()


def test_examples_are_valid(tmp_path: Path):
    """Those of modules for version 6 alone are validated in tests/provider6."""

    def run() -> str:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
        plain |= {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        (folder := tmp_path / "root").mkdir()
        write_root(folder, ADMITTING_5)
        return validate(folder, plain | cli_config(None, plain, tmp_path))

    assert KEPT.facts(run) == "Success! The configuration is valid."
