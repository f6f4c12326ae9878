"""The `framebus` command."""
