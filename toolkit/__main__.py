"""Entry point of `toolkit`: the shortest way to an answer.

`--version` is answered before anything is imported; everything else goes through the typer application.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from toolkit import __version__

        print(f"toolkit {__version__}")  # noqa: T201 - printing is what was asked for
        raise SystemExit(0)
    from toolkit.cli.main import run

    raise SystemExit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
