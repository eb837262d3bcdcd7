"""The text of an HTML fragment, in one pass whose work grows linearly with the fragment.

Python's own parser takes quadratic time on tags that are never closed, and a fragment is whatever a customer mailed.
This scanner knows what a message needs: where a tag ends, which tags begin a line, and which content is no text.
"""

import re
from html import unescape
from typing import Final

_LINES: Final = frozenset({"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3", "h4", "pre"})
"""Tags that begin a line, and end one."""

_RAW: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE | re.ASCII) for name in ("script", "style")
}
"""Tags whose content is no markup up to their end tag, which the pattern finds. It is left out."""

_HEAD: Final = "head"
_TAG: Final = re.compile(r"<(/?+)([a-z][^\s/>]*+)", re.IGNORECASE | re.ASCII)
_STOP: Final = re.compile(r""">|=\s*+["']""")
"""The end of a tag, or the quote that opens a value, in which a `>` ends nothing."""

_LONGEST_REFERENCE: Final = 40
"""Characters of a character reference such as `&hellip;` or `&#8230;`. The longest name of HTML has 31."""
_TOO_LONG: Final = re.compile(rf"&#[0-9a-fx]{{{_LONGEST_REFERENCE},}}+;?+", re.IGNORECASE)


def text_of(markup: str) -> str:
    """The text of the fragment, each block on lines of its own. A tag that is never closed is text, as it is written."""
    return "".join(_Scan(markup).parts())


class _Scan:
    """One pass over a fragment. Each step starts where the one before it ended."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._parts: list[str] = []
        self._heads = 0

    def parts(self) -> list[str]:
        """The pieces of text, and a line break for each edge of a block."""
        place = 0
        while (begin := self._markup.find("<", place)) >= 0:
            self._text(place, begin)
            place = self._after(begin)
        self._text(place, len(self._markup))
        return self._parts

    def _text(self, begin: int, end: int) -> None:
        if begin < end and not self._heads:
            self._parts.append(_unescaped(self._markup[begin:end]))

    def _after(self, begin: int) -> int:
        """Where the markup that begins with this `<` ends. A `<` of no markup is text."""
        if self._markup.startswith("<!--", begin):
            return self._past("-->", begin + 4)
        if self._markup.startswith(("<!", "<?"), begin):
            return self._past(">", begin)
        tag = _TAG.match(self._markup, begin)
        end = None if tag is None else self._end_of_tag(tag.end())
        if tag is None:
            self._text(begin, begin + 1)
            return begin + 1
        if end is None:  # no tag after it is closed either
            self._text(begin, len(self._markup))
            return len(self._markup)
        return self._entered(tag[2].lower(), end, closes=bool(tag[1]))

    def _past(self, mark: str, begin: int) -> int:
        found = self._markup.find(mark, begin)
        return len(self._markup) if found < 0 else found + len(mark)

    def _end_of_tag(self, place: int) -> int | None:
        """Where the tag ends; None when nothing ends it, nor any tag after it."""
        while (stop := _STOP.search(self._markup, place)) is not None:
            if stop[0] == ">":
                return stop.end()
            close = self._markup.find(stop[0][-1], stop.end())
            if close < 0:  # at most once for each kind of quote, since none is left after this place
                found = self._markup.find(">", stop.end())
                return None if found < 0 else found + 1
            place = close + 1
        return None

    def _entered(self, name: str, end: int, *, closes: bool) -> int:
        """Note a tag. Returns where to go on."""
        if name in _LINES:
            self._parts.append("\n")
        if name == _HEAD:
            self._heads = max(self._heads - 1, 0) if closes else self._heads + 1
        if name not in _RAW or closes:
            return end
        close = _RAW[name].search(self._markup, end)
        return len(self._markup) if close is None else close.start()


def _unescaped(written: str) -> str:
    # Python converts a number of thousands of digits in quadratic time, or refuses it. It is no character.
    return unescape(_TOO_LONG.sub("\ufffd", written)) if "&" in written else written
