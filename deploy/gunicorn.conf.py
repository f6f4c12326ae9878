"""The settings that `framebus web` uses, for `gunicorn -c deploy/gunicorn.conf.py`.

They live in web_workers/gunicorn_conf.py, so that an installed package has them too.
"""

from web_workers.gunicorn_conf import *  # noqa: F403  gunicorn reads every name of this file
