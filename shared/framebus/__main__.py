"""The `framebus` command; `python -m framebus` is the same."""

from __future__ import annotations

from framebus import installation


def main() -> None:
    """Run `framebus`, or say what it lacks."""
    with installation.told():
        from framebus.cli.main import main as run  # click is the first that may be missing

        run()


if __name__ == "__main__":
    main()
