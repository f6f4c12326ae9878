"""The page in Chromium and Firefox."""
