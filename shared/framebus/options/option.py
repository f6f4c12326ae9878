"""What one option is: its name and, from that, its flag, variable and key; its values; its help."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Scope(Enum):
    """Whose option it is."""

    CAPTURE = "each camera's daemon"
    """It may stand in a camera's table too, for that one."""
    WEB = "the web tier"
    BOTH = "both"


class Kind(NamedTuple, Generic[T_co]):
    """What values an option takes."""

    metavar: str
    """What a value is called in --help."""
    right: str
    """Unit and range, for people: what a value may be."""
    types: tuple[type, ...]
    """What it may be in TOML."""
    parse: Callable[[str], T_co]
    """Returns the value that a text means; raises UsageError, which says what is right."""
    separator: str = ""
    """Between the values of one text, where there may be several: a list in TOML."""

    def text(self, value: object) -> str:
        """Return a value of TOML or of a flag as one writes it in a variable."""
        if isinstance(value, list | tuple):
            return self.separator.join(map(str, value))
        return str(value).lower() if isinstance(value, bool) else str(value)


class Option(NamedTuple, Generic[T_co]):
    """One row of the table."""

    name: str
    """As in TOML."""
    kind: Kind[T_co]
    scope: Scope
    help: str
    default: T_co
    more: str = ""
    """What there is to say besides, where there is more room than in --help."""
    without: str = ""
    """What holds when nobody says anything, for people, where the default does not tell."""
    secret: bool = False
    """A value may have a password in it: it is shown to nobody, and is in no argument of ours."""
    flagged: bool = True
    """Whether it has a flag."""
    filed: bool = True
    """Whether it is a key in TOML."""

    @property
    def flag(self) -> str:
        """The flag on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"FRAMEBUS_{self.name.upper()}"

    @property
    def repeated(self) -> bool:
        """Whether the flag may be given repeatedly; the variable has spaces in it then."""
        return self.kind.separator == " "

    @property
    def default_text(self) -> str:
        """What holds when nobody says anything, for people; "" where that is nothing."""
        if self.without or self.default is None or self.default == ():
            return self.without
        return self.kind.text(self.default).removesuffix(".0")

    def of(self, *scopes: Scope) -> bool:
        """Whether it is of one of these."""
        return self.scope in scopes
