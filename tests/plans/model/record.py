"""Records a plan in which everything happens that a plan can say: `record.py FOLDER` writes plan.json and plan.txt.

Real Terraform and its built-in `terraform_data`, which needs no provider: applied once, then planned with a changed
configuration. plan.json is `show -json`, whole, so that what Terraform keeps in the clear beside the masked parts is in
it; plan.txt is `show`, Terraform's own words for the same plan.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

OLD, NEW = "hunter2-old", "hunter2-new"
"""What must never be shown."""

# Module labels as rendering writes them: one component in the home region, two regional ones, and no component at all.
LABELS = ("password_policy", "guardduty", "guardduty_us_east_1", "config_delivery", "own")
CALLS = "".join(
    f'module "{label}" {{\n  source = "./{label}"\n  secret = var.secret\n}}\n' for label in LABELS
)  # fmt: skip
HEAD = 'variable "secret" {\n  type = string\n  sensitive = true\n}\n'


def data(name: str, body: str) -> str:
    """A resource."""
    return f'resource "terraform_data" "{name}" {{\n{body}}}\n'


BEFORE: dict[str, str] = {
    "password_policy": data("updated", '  input = { length = 8, words = ["a", "b"], days = { max = 90 } }\n')
    + data("kept", '  input = "same"\n'),
    "guardduty": data("replaced", '  input = "x"\n  triggers_replace = ["one"]\n')
    + data("tainted", '  input = "half-made"\n'),
    "guardduty_us_east_1": data("deleted", '  input = "gone"\n') + data("old_name", '  input = "moved"\n'),
    "config_delivery": data("secret_changes", "  input = { token = var.secret, plain = 1 }\n")
    + data("secret_stays", '  input = { token = sensitive("hunter2-old"), plain = 1 }\n')
    + data("becomes_secret", '  input = "hunter2-old"\n')
    + data("becomes_plain", '  input = sensitive("hunter2-old")\n')
    + data("each", '  for_each = { "a.b" = 1, "c d" = 2 }\n  input = each.value\n'),
    "own": data("forgotten", '  input = "left alone"\n'),
}
AFTER: dict[str, str] = {
    "password_policy": data("updated", '  input = { length = 14, words = ["a", "c"], days = { max = 60 } }\n')
    + data("kept", '  input = "same"\n'),
    "guardduty": data("replaced", '  input = "x"\n  triggers_replace = ["two"]\n')
    + data("tainted", '  input = "half-made"\n')
    + data("made", "  input = { id = terraform_data.replaced.id, known = true, token = var.secret }\n"),
    "guardduty_us_east_1": data("new_name", '  input = "moved"\n')
    + "moved {\n  from = terraform_data.old_name\n  to = terraform_data.new_name\n}\n",
    "config_delivery": data("secret_changes", "  input = { token = var.secret, plain = 2 }\n")
    + data("secret_stays", '  input = { token = sensitive("hunter2-old"), plain = 2 }\n')
    + data("becomes_secret", '  input = sensitive("hunter2-old")\n')
    + data("becomes_plain", '  input = "not hidden any more"\n')
    + data("each", '  for_each = { "a.b" = 1, "c d" = 3 }\n  input = each.value\n'),
    "own": data("imported", "")
    + "removed {\n  from = terraform_data.forgotten\n  lifecycle {\n    destroy = false\n  }\n}\n",
}
ROOT_BEFORE = data("root", '  input = "root"\n') + (
    'output "changes" {\n  value = "1"\n}\noutput "secret" {\n  value = var.secret\n  sensitive = true\n}\n'
    'output "same" {\n  value = "s"\n}\noutput "goes" {\n  value = "g"\n}\n'
)
ROOT_AFTER = data("root", '  input = "other"\n') + (
    'output "changes" {\n  value = "2"\n}\noutput "secret" {\n  value = var.secret\n  sensitive = true\n}\n'
    'output "same" {\n  value = "s"\n}\n'
    'import {\n  to = module.own.terraform_data.imported\n  id = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"\n}\n'
)


def record(folder: Path) -> None:
    """Write plan.json and plan.txt to `folder`."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)

        def write(top: str, modules: dict[str, str]) -> None:
            (root / "main.tf").write_text(HEAD + CALLS + top)
            for label, text in modules.items():
                (root / label).mkdir(exist_ok=True)
                (root / label / "main.tf").write_text(HEAD + text)

        def terraform(*arguments: str) -> str:
            done = subprocess.run(
                ["terraform", *arguments], cwd=root, env=environ, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"terraform {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
            return done.stdout

        write(ROOT_BEFORE, BEFORE)
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", f"-var=secret={OLD}")
        terraform("taint", "module.guardduty.terraform_data.tainted")
        write(ROOT_AFTER, AFTER)
        terraform("plan", "-out=plan", f"-var=secret={NEW}")
        (folder / "plan.json").write_text(terraform("show", "-json", "plan"))
        (folder / "plan.txt").write_text(terraform("show", "-no-color", "plan"))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
