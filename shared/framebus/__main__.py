"""`python -m framebus` is `framebus`."""

from __future__ import annotations

from framebus.cli.main import main

if __name__ == "__main__":
    main()
