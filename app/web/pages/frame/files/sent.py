"""`Sent`: the fields of an editor's form as a browser sent them, with rows of lists as columns of equal names."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request

from app.web.http.forms import read_fields

FIELDS_MAX: Final = 50_000
"""Fields of an editor: a calendar with an exception for each date of ten years has a fifth of them."""
DROP: Final = "drop"
"""The name of the buttons that remove a row; their value is the row's list and place, as `0.exceptions.3`."""
ADD: Final = "add"
"""The action that writes the fields of what is new into the text."""


class Sent:
    """The fields of a form, each with its values in their order."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name, []).append(value)
        self._dropped = self.one(DROP)

    def one(self, name: str) -> str:
        """The last value of a name without spaces around it; empty if there is none."""
        return self._values.get(name, [""])[-1].strip()

    def all(self, name: str) -> list[str]:
        """The values of a name without spaces around them."""
        return [value.strip() for value in self._values.get(name, [])]

    def text(self, name: str) -> str:
        """A text of several lines. Browsers send their ends as CR and LF, files have LF."""
        return self._values.get(name, [""])[-1].replace("\r\n", "\n")

    def rows(self, place: str, *columns: str) -> list[tuple[str, ...]]:
        """The rows of a list whose columns are sent under these names, without the one that is to be removed."""
        found = zip(*(self.all(f"{place}.{name}") for name in columns), strict=False)
        return [row for at, row in enumerate(found) if not self.drops(f"{place}.{at}")]

    def names(self, prefix: str) -> list[str]:
        """The names that begin so, without the beginning."""
        return [name.removeprefix(prefix) for name in self._values if name.startswith(prefix)]

    def drops(self, place: str) -> bool:
        """Whether the form removes what is at this place."""
        return self._dropped == place


async def read_sent(request: Request) -> Sent:
    """The form of a request. Raises Problem."""
    return Sent(await read_fields(request, FIELDS_MAX))
