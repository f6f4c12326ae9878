"""What `framebus web` becomes: `python -P -m web_workers.run_gunicorn --config ...`.

It says what is not to be imported before it is used, which must come before everything else; then
it is gunicorn, as master.py has it.
"""

from __future__ import annotations

import os

from web_workers.deferred_imports import defer


def main() -> None:
    """Become gunicorn."""
    defer(tls=bool(os.environ.get("FRAMEBUS_CERTFILE")))
    from web_workers import master

    master.run()


if __name__ == "__main__":
    main()
