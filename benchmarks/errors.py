"""The one error of the benchmark."""


class BenchError(Exception):
    """A measurement cannot be made; the message says what to do about it."""
