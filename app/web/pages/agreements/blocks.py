"""Tables of an array in a TOML text, added and removed as blocks of lines, so that comments stay where they belong.

A library for TOML keeps the comments above a header with the table before it. Here a comment that touches a header from
above belongs to that header's table, as people write it. The result is compared with the document that it must have; a
text whose lines are misleading, as one with a header within a text of several lines, is changed by the library.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final, cast

import tomlkit

_HEADER: Final = re.compile(r"\s*+\[\[?+([^\[\]]++)\]\]?+\s*+(?:#.*+)?")


def without(text: str, name: str, at: int) -> str:
    """The text without the table at this place of an array."""
    wanted = tomllib.loads(text)
    wanted[name].pop(at)
    if not wanted[name]:
        del wanted[name]
    lines = text.splitlines(keepends=True)
    blocks = list(_blocks(lines, name))
    if at < len(blocks):
        start, end = blocks[at]
        changed = "".join(lines[:start] + lines[end:])
        if _is(changed, wanted):
            return changed
    document = cast("Any", tomlkit.parse(text))
    del document[name][at]
    return tomlkit.dumps(document)


def appended(text: str, name: str, block: str) -> str:
    """The text with a further table at the end of an array. `block` has the keys of the table."""
    wanted = tomllib.loads(text)
    wanted.setdefault(name, []).append(tomllib.loads(block))
    lines = text.splitlines(keepends=True)
    end = max((end for _, end in _blocks(lines, name)), default=len(lines))
    if lines and not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    gap_before = "" if end == 0 or not lines[end - 1].strip() else "\n"
    gap_after = "\n" if end < len(lines) else ""
    changed = "".join([*lines[:end], f"{gap_before}[[{name}]]\n{block}{gap_after}", *lines[end:]])
    if _is(changed, wanted):
        return changed
    document = cast("Any", tomlkit.parse(text))
    if name not in document:
        document[name] = tomlkit.aot()
    document[name].append(tomlkit.parse(block))
    return tomlkit.dumps(document)


def _is(text: str, document: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _blocks(lines: list[str], name: str) -> Iterator[tuple[int, int]]:
    """The first line of each table of an array with what touches it from above, and the line after its last."""
    found = ((at, _HEADER.fullmatch(line.rstrip("\n"))) for at, line in enumerate(lines))
    headers = [(at, header[1].strip()) for at, header in found if header is not None]
    starts = [_with_comments(lines, at) for at, _ in headers] + [len(lines)]
    begun: int | None = None
    for number, (at, header) in enumerate(headers):
        if header == name and lines[at].lstrip().startswith("[["):
            begun = starts[number]
        following = headers[number + 1][1] if number + 1 < len(headers) else ""
        if begun is not None and not following.startswith(f"{name}."):
            yield begun, starts[number + 1]
            begun = None


def _with_comments(lines: list[str], header: int) -> int:
    """The first of the comments that touch a header from above, else the header."""
    first = header
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first
