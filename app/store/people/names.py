"""Names that people sign in with. Pure."""

import re
from typing import Final

_NAME: Final = re.compile(r"[\w.@+-]{1,100}")


def key_of(name: str) -> str:
    """A name as it is stored and compared: without regard to case."""
    return name.strip().casefold()


def is_name(name: str) -> bool:
    """Whether this may be a name: letters, digits and `. _ @ + -`, at most a hundred."""
    return _NAME.fullmatch(key_of(name)) is not None
