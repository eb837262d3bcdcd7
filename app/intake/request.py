"""An inbound request: the bytes that a ticket system sent.

The body is never rewritten from its parsed form, since the signature covers the bytes as sent. `received_at` is
microseconds UTC.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NoReturn
from urllib.parse import parse_qsl

from app.intake.cloudevents import Limits
from app.intake.json_values import surrogates_in
from app.intake.mapping.events import Unreadable
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """One request. Header names are in lower case; `query` are the parameters of its address.
    `limits`: how much a request of our own events may hold."""

    headers: Mapping[str, str]
    body: bytes
    received_at: Micros
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(
        cls,
        headers: Mapping[str, str],
        body: bytes,
        received_at: Micros,
        query: Mapping[str, str] | str = "",
    ) -> "InboundRequest":
        """A request from headers of any case and, if there is one, the query of the address."""
        lowered = {name.lower(): value for name, value in headers.items()}
        parameters = dict(parse_qsl(query)) if isinstance(query, str) else dict(query)
        return cls(lowered, body, received_at, parameters)

    def header(self, name: str) -> str | None:
        """A header's value without outer spaces; None when it is absent or empty."""
        return self.headers.get(name, "").strip() or None

    def json(self) -> object:
        """The body as JSON. Raises Unreadable with the place of the first fault.

        Raw line breaks within texts are accepted, since templates of ticket systems paste texts in as they are.
        """
        try:
            return json.loads(self.body, strict=False, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            place, fault = f"line {error.lineno}, column {error.colno}", _FAULTS.get(error.msg, _BROKEN)
            raise Unreadable(f"the body is no JSON: {fault}", place) from error
        except UnicodeDecodeError as error:
            raise Unreadable("the body is no text in UTF-8", f"byte {error.start + 1}") from error
        except RecursionError as error:
            raise Unreadable("the body is nested too deeply") from error
        except Unreadable:
            raise
        except ValueError as error:  # the one that is left: an integer of more digits than Python reads
            raise Unreadable("the body holds a number of thousands of digits; send it as a text") from error

    def half_characters(self) -> tuple[str, ...]:
        """The places of texts that hold half of a surrogate pair, as a script leaves that cuts a text in an emoji.

        The rest of such a text is read; the half is replaced, since no database holds it.
        """
        if not _MAYBE_HALF.search(self.body):
            return ()
        try:
            places = surrogates_in(self.json())
            return tuple(islice((place or "/" for place in places), _MOST_PLACES))
        except Unreadable:
            return ()


_MAYBE_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_MOST_PLACES: Final = 10
"""Places that one request's warning names: enough to find the script that cuts texts."""

_BROKEN: Final = "it cannot be read on from here"
_FAULTS: Final[Mapping[str, str]] = {
    "Expecting value": "a value must stand here",
    "Expecting property name enclosed in double quotes": "a name in double quotes must stand here",
    "Expecting ':' delimiter": "a colon must stand here",
    "Expecting ',' delimiter": "a comma or the closing bracket must stand here",
    "Unterminated string starting at": "the text that begins here has no closing quote",
    "Invalid \\escape": "a backslash stands before a character that it cannot stand before",
    "Invalid \\escape: ": "a backslash stands before a character that it cannot stand before",
    "Invalid \\uXXXX escape": "four hexadecimal digits must stand here",
    "Extra data": "something follows after its end",
    "Illegal trailing comma before end of object": "a comma stands before the closing bracket",
    "Illegal trailing comma before end of array": "a comma stands before the closing bracket",
}
"""What is wrong, by the words of Python's parser, in ours."""


def _no_number(word: str) -> NoReturn:
    raise Unreadable(f"the body is no JSON: {word} is no number; send null or leave it out")
