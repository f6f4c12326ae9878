"""The version, in one place: setup.cfg reads it from here.

Not from importlib.metadata at run time: that costs a daemon which must be back within a moment
some 40 ms of imports.
"""

__version__ = "0.2.0"
