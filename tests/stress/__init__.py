"""Races and crowds: small as tests, at full size by hand (docs/testing.md)."""
