"""Where the web tier listens and whom it lets in: what `framebus up` and the web tier both know.

No command line, no gunicorn and no Flask: only what a person chose, checked.
"""
