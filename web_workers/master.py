"""gunicorn as `framebus web` runs it: `python -P -m web_workers.master --config ...`.

Nothing of the directory in which somebody starts it is its own. gunicorn would look there for
modules first, so that a flask.py there would be the workers' Flask; and it would go there again at
each reload, and end, viewers and all, where that directory is gone (an old release).

What is relied on in gunicorn 26 and 27 (app/base.py, config.py): `chdir` does both and nothing
else; `reload` makes all settings anew, and checks of each that its default is sound.
"""

from __future__ import annotations

import os

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Chdir


class Application(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's application, which stays where it is."""

    def chdir(self) -> None:
        """Neither go anywhere nor import from there."""

    def reload(self) -> None:
        """Read the settings anew, which gunicorn does not where the directory was removed."""
        try:
            os.getcwd()
        except FileNotFoundError:
            os.chdir("/")
        super().reload()


if __name__ == "__main__":
    Chdir.default = "/"  # it was where we are, which may be gone
    Application("%(prog)s [OPTIONS]", prog="framebus-web").run()
