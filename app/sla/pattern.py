"""Patterns that a desk writes: matched by RE2, whose time grows with the text and never with the pattern's ambiguity.

RE2 has no look-around and no back-references, and `\\w` and `\\d` mean ASCII. A pattern that needs more is refused.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2


class PatternFault(ValueError):
    """A pattern is not one that RE2 knows. Write it without look-around and back-references."""


@lru_cache(maxsize=256)
def desk_pattern(pattern: str) -> "re2.Pattern":
    """The compiled pattern. Raises PatternFault."""
    import re2  # only an agreement with a queue has a pattern

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternFault(text) from error
