"""The web tier: gunicorn workers that read rings and serve viewers. It never opens a camera."""
