"""What came in, byte by byte: one HTTP request of a ticket system.

The rule that it guards: the body is the bytes that were sent. A signature holds for those and for nothing that was made
of them, so nothing here is ever written again from its parsed form. `received_at` is microseconds UTC.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qsl

from app.intake.reading import Unreadable
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request. Header names are in lower case; `query` are the parameters of its address."""

    headers: Mapping[str, str]
    body: bytes
    received_at: Micros
    query: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(
        cls,
        headers: Mapping[str, str],
        body: bytes,
        received_at: Micros,
        query: Mapping[str, str] | str = "",
    ) -> "Delivery":
        """A delivery from headers of any case and, if there is one, the query of the address."""
        lowered = {name.lower(): value for name, value in headers.items()}
        parameters = dict(parse_qsl(query)) if isinstance(query, str) else dict(query)
        return cls(lowered, body, received_at, parameters)

    def header(self, name: str) -> str | None:
        """A header's value without outer spaces; None when it is absent or empty."""
        return self.headers.get(name, "").strip() or None

    def json(self) -> object:
        """The body as JSON. Raises Unreadable with the place of the first fault.

        Line breaks within texts are let pass, since templates of ticket systems paste texts in as they are.
        """
        try:
            return json.loads(self.body, strict=False, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise Unreadable(f"the body is no JSON: {error.msg}", place) from error
        except RecursionError as error:
            raise Unreadable("the body is nested too deeply") from error
        except ValueError as error:
            raise Unreadable(f"the body is no JSON: {error}") from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
