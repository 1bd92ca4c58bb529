"""Which commit of the user's repository a folder is at.

In: a folder. Out: the commit, and whether what is in the working tree differs from it. Reads only.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from toolkit.variables import kept


def checkout(folder: Path, *inside: str) -> tuple[str | None, bool]:
    """Commit of the checkout, and whether any of these paths differs from it; (None, False) outside of git.

    Args:
        folder: In the checkout.
        *inside: Paths that start at the folder.
    """

    def git(*arguments: str) -> str:
        # Within a hook, GIT_DIR names the repository of the hook, which may be another one.
        environ = kept(os.environ)
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=10, env=environ
        ).stdout

    try:
        commit = git("rev-parse", "HEAD").strip()
        status = git("status", "--porcelain", "--", *inside)
    except (OSError, subprocess.SubprocessError):
        return None, False
    return commit, bool(status.strip())
