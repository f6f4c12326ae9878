"""What was chosen: flag, environment variable, file, default, in this order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from framebus.errors import UsageError
from framebus.options import file
from framebus.options.option import Option, Scope
from framebus.options.table import CONFIG, TABLE

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chosen:
    """The value of each option: `chosen[THE_OPTION]`. Never changed."""

    given: Mapping[str, object] = field(default_factory=dict)
    """By an option's name what a flag or variable says; None and () are nothing."""
    file: file.File = field(default_factory=file.File)
    camera: str | None = None
    """Whose table counts; None: no camera's."""
    variables: frozenset[str] = frozenset()
    """The names of options that were given by a variable."""
    _read: dict[str, Any] = field(default_factory=dict, init=False)
    """Values that were asked for before: some are asked for again and again."""

    @classmethod
    def of(cls, given: Mapping[str, object], variables: frozenset[str] = frozenset()) -> Self:
        """Read the file that `given` may name. Raises UsageError and NoPermission."""
        path = given.get(CONFIG.name)
        return cls(given, file.load(None if path is None else Path(str(path))), None, variables)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Return what variables alone say; an empty one says nothing."""
        given = {option.name: environ.get(option.variable) or None for option in TABLE}
        return cls(given, variables=frozenset(given))

    @classmethod
    def plainly(
        cls, words: Sequence[str], environ: Mapping[str, str], *scopes: Scope
    ) -> Self | None:
        """Return what a command's words and variables say; None where only click can tell.

        It can whatever is more than a flag of these scopes and a value, each its own word. Raises
        what `of` does.
        """
        options = [each for each in TABLE if each.flagged and each.of(*scopes)]
        flags = {each.flag: each.name for each in options if not each.repeated}
        if len(words) % 2 or not flags.keys() >= set(words[::2]):
            return None
        typed = {flags[flag]: value for flag, value in zip(words[::2], words[1::2], strict=True)}
        values = {each.name: environ.get(each.variable) or None for each in options}
        return cls.of({**values, **typed}, frozenset(values.keys() - typed.keys()))

    def to_environ(self, *scopes: Scope) -> dict[str, str]:
        """Return the variables that say the same, of these scopes' options, to another process."""
        texts = {each.variable: self._text(each)[0] for each in TABLE if each.of(*scopes)}
        return {variable: text for variable, text in texts.items() if text is not None}

    def of_camera(self, camera: str) -> Self:
        """Return the same for one camera, with its table."""
        return replace(self, camera=camera)

    def __getitem__(self, option: Option[T]) -> T:
        """Return an option's value. Raises UsageError, which says where the wrong one stands."""
        if option.name not in self._read:
            text, _ = self._text(option)
            with self.naming(option):
                self._read[option.name] = (
                    option.default if text is None else option.kind.parse(text)
                )
        value: T = self._read[option.name]
        return value

    def check(self, *scopes: Scope) -> None:
        """Raise UsageError for the first option of these scopes with a value that is none."""
        for option in TABLE:
            if option.of(*scopes):
                self[option]

    def is_given(self, option: Option[Any]) -> bool:
        """Whether a flag or a variable says it."""
        return self.given.get(option.name) not in (None, ())

    def is_filed(self, option: Option[Any]) -> bool:
        """Whether the file says it, and neither flag nor variable does."""
        return not self.is_given(option) and self.file.find(option, self.camera) is not None

    @contextmanager
    def naming(self, option: Option[Any]) -> Iterator[None]:
        """Have a UsageError about an option's value say where that stands."""
        try:
            yield
        except UsageError as error:
            error.args = (f"{self._text(option)[1]}: {error}",)
            raise

    def _text(self, option: Option[Any]) -> tuple[str | None, str]:
        """Return an option's value as a text, None for the default, and where it stands."""
        if self.is_given(option):
            where = option.variable if option.name in self.variables else option.flag
            if option.secret and where == option.variable:  # `up` makes a flag of it a variable
                where = f"{option.flag} ({where})"
            return option.kind.text(self.given[option.name]), where
        if found := self.file.find(option, self.camera):
            return option.kind.text(found[0]), found[1]
        return None, option.flag
