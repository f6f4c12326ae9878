"""gunicorn's settings for the web tier: `gunicorn -c python:web_workers.gunicorn_conf`.

Read by gunicorn in its master before it forks, and again at a reload. Addresses and numbers come
from the environment, so that `framebus web` and a unit file set them the same way.
"""

from __future__ import annotations

import os

from framebus.options.chosen import Chosen
from framebus.options.table import BIND, CERTFILE, KEYFILE, WORKERS

from web_workers.capacity import THREAD_SLOTS, default_workers

_options = Chosen.from_environ(os.environ)
wsgi_app = "web_workers.app:create_app()"
worker_class = "web_workers.reloading_worker.ReloadingWorker"
bind = _options[BIND]
workers = _options[WORKERS] or default_workers()
_umask = os.umask(0o117)
os.umask(_umask)
umask = _umask | 0o117  # of a Unix socket that is bound: gunicorn would make it 0777
certfile = str(_options[CERTFILE] or "") or None
keyfile = str(_options[KEYFILE] or "") or None
threads = 8  # short requests only: viewers have no thread, but for TLS
if certfile:
    threads += THREAD_SLOTS
worker_connections = 1320  # connections before, in and after a request; viewers do not count
sendfile = False  # it would wait for the client in a thread (admission/buffered_socket.py)
keepalive = 5  # seconds; pages that poll snapshots keep their connection
timeout = 30  # seconds without a heartbeat after which a worker is replaced
graceful_timeout = 5  # seconds for requests under way when a worker stops
worker_tmp_dir = "/dev/shm"  # noqa: S108  heartbeats touch a file: not one on a disk
# Nobody but web_workers.access.peer believes X-Forwarded-..., and it only declared proxies.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
logger_class = "web_workers.access.logs.GuardedLogger"
accesslog = None
errorlog = "-"
proc_name = "framebus-web"
control_socket_disable = True  # gunicorn's own, in a fixed place; SIGHUP and SIGTERM do
