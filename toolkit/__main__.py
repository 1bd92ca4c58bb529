"""Entry point of `toolkit`: the shortest way to an answer.

`--version` is answered before anything is imported; everything else goes through the typer application.
"""

from __future__ import annotations

import gc
import sys

_GARBAGE = 50_000
"""Objects after which Python looks for unreachable ones. What imports make lives as long as the process: looking
through it at every 700 objects, and once more at the end, is a sixth of what a command takes besides Terraform."""


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from toolkit import __version__

        print(f"toolkit {__version__}")  # noqa: T201 - printing is what was asked for
        raise SystemExit(0)
    gc.set_threshold(_GARBAGE)
    from toolkit.cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()
    raise SystemExit(code)


if __name__ == "__main__":
    main()
