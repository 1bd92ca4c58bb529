"""Entry point of `toolkit`: the shortest way to an answer.

`--version` is answered before anything is imported; everything else goes through the typer application.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from toolkit import interrupts

GARBAGE = 1_000_000
"""Objects after which Python looks for unreachable ones. What imports and clients of AWS make lives as long as the
process: looking through it at every 700 objects, and once more at the end, is a sixth of what a command takes besides
Terraform. Of all that an audit of 17 regions makes, some 10,000 objects wait to be found so."""


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]) and sys.stdout is not None:
        from toolkit import __version__

        with contextlib.suppress(OSError):  # the longer way says why it cannot be written
            print(f"toolkit {__version__}", flush=True)  # noqa: T201 - printing is what was asked for
            raise SystemExit(0)
    # Under a umask of 000, anybody could change the Terraform that is about to be applied; under one of 777, the
    # toolkit could not read what it has written. Whatever it is: others never write, and the user may read and write.
    os.umask(os.umask(0o077) & 0o077 | 0o022)
    gc.set_threshold(GARBAGE)
    # Part of a run over many environments, which stops it by SIGINT, also where the run itself ignores it (`&`).
    interrupts.begin(always=bool(os.environ.get("TOOLKIT_EVENTS_FD")))
    try:
        from toolkit.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before that could say so, or once more while it does
        code = 130
        with contextlib.suppress(OSError, AttributeError):
            sys.stderr.write("Error: interrupted\n")
    interrupts.end()
    gc.freeze()
    raise SystemExit(code)


if __name__ == "__main__":
    main()
