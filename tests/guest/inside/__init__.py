"""Tests that run inside the guest, on the real uvcvideo driver; see conftest.py one folder up."""
