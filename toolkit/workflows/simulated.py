"""State of the embedded AWS: never taken for a real account's, nor the other way round.

In: scratch folder and local state of an environment. Out: the state of an embedded AWS that has ended is set aside; a
state of the one where the other is meant is refused. A stamp in the scratch folder says which embedded AWS made it; a
mark beside the state says that one did, and outlives the scratch folder, which people delete to start afresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from toolkit.errors import RefusedError
from toolkit.files import write_atomically
from toolkit.paths import EnvironmentPaths
from toolkit.sandbox.control import Sandbox
from toolkit.terraform.local_state import read_local_state
from toolkit.workflows.observer import Observer

_STAMP, _MARK = "sandbox-run", ".simulated"
ASIDE = ".ended-sandbox"


def adopt_simulated_state(
    scratch: Path, state: Path, running: Sandbox, observer: Observer, unsaved: Iterable[Path] = ()
) -> None:
    """Make the local state that of the running embedded AWS: what one that has ended left is set aside.

    Args:
        scratch: The scratch folder, which knows the embedded AWS that ran last.
        state: The local state.
        running: The embedded AWS that runs now.
        observer: Gets told what happens.
        unsaved: States of the one that has ended that could not be saved: nothing is left to restore them for.

    Raises:
        RefusedError: There is a state that no embedded AWS has made here.
    """
    stamp = scratch / _STAMP
    mark = state.with_name(f"{state.name}{_MARK}")
    identity = f"{running.pid} {running.started}\n"
    if stamp.exists() and stamp.read_text() == identity:
        return
    if not stamp.exists() and not mark.exists() and read_local_state(state) is not None:
        raise RefusedError(
            "a state that no embedded AWS has made here would be set aside: it may be a real account's",
            where=str(state),
            hint="take `simulator` out of the environment file (`--sandbox` tries a real environment without using "
            "its state), or move this file away",
        )
    if state.exists():
        state.replace(state.with_name(f"{state.name}{ASIDE}"))
        observer.note("the state of an embedded AWS that has ended was set aside")
    if stamp.exists():
        for file in unsaved:
            file.replace(file.with_name(f"ended-sandbox.{file.name}"))
            observer.note(f"{file.name}, which could not be saved there, was set aside")
    # Terraform's memory of the backend is of one that has ended with it: no question about migrating is left to ask.
    (scratch / "terraform" / "terraform.tfstate").unlink(missing_ok=True)
    (scratch / "initialized").unlink(missing_ok=True)
    write_atomically(mark, "This state is of the embedded AWS (moto).\n", mode=0o600)
    write_atomically(stamp, identity, mode=0o600)


def refuse_simulated_state(paths: EnvironmentPaths, scratch: Path, state: Path, account_id: str) -> None:
    """A state that an embedded AWS has made says nothing about a real account: a plan on it would be a wrong one.

    Raises:
        RefusedError: There is one.
    """
    marks = [mark for mark in (scratch / _STAMP, state.with_name(f"{state.name}{_MARK}")) if mark.exists()]
    if not marks:
        return
    if read_local_state(state) is not None:
        raise RefusedError(
            f"this state was made on the embedded AWS and says nothing about account {account_id}",
            where=str(state),
            hint=f"`simulator: moto` in {paths.shown} continues with it; for the real account, move it away: "
            f"mv {state} {state}{ASIDE}",
        )
    # What comes from now on is the real account's.
    for mark in marks:
        mark.unlink()
    (scratch / "terraform" / "terraform.tfstate").unlink(missing_ok=True)
    (scratch / "initialized").unlink(missing_ok=True)
