"""Entry point of `toolkit`."""


def main() -> None:
    raise SystemExit("not built yet")
