"""Formats a message for a channel: plain text, HTML, and the markup of chat services. Pure.

Text and HTML are made of the same pieces and say the same. Everything is escaped where a channel would interpret it.
"""

from html import escape
from typing import Final

from app.delivery.notice import Line, Notice

SEPARATOR: Final = " · "
_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""The three characters that Slack interprets: with them escaped there are no links, mentions or commands."""
_MARKDOWN: Final = str.maketrans({each: "\\" + each for each in "\\`*_{}[]()<>#+-.!|~@:"})
"""Discord's Markdown. A backslash before a punctuation mark shows the mark."""
_ANGLES: Final = str.maketrans({"<": "(", ">": ")"})
"""Google Chat has no escape: without angle brackets there are no mentions and no links with another text."""


def plain(notice: Notice) -> str:
    """One line of text for each ticket."""
    return "\n".join(_plain_line(line) for line in notice.lines)


def _plain_line(line: Line) -> str:
    return SEPARATOR.join((*line.pieces, *([line.url] if line.url else ())))


def html(notice: Notice) -> str:
    """An HTML document that says what the text says."""
    rows = "".join(f"<li>{_html_line(line)}</li>\n" for line in notice.lines)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{escape(notice.subject)}</title></head>\n'
        f"<body>\n<ul>\n{rows}</ul>\n</body></html>\n"
    )


def _html_line(line: Line) -> str:
    pieces = [escape(piece) for piece in line.pieces]
    if line.url:
        pieces.append(f'<a href="{escape(line.url)}">{escape(line.url)}</a>')
    return SEPARATOR.join(pieces)


def slack(notice: Notice) -> str:
    """Slack's mrkdwn. Addresses are linked explicitly; nothing else is."""
    lines: list[str] = []
    for line in notice.lines:
        pieces = [piece.translate(_SLACK) for piece in line.pieces]
        lines.append(SEPARATOR.join((*pieces, *([f"<{line.url.translate(_SLACK)}>"] if line.url else ()))))
    return "\n".join((f"*{notice.subject.translate(_SLACK)}*", *lines))


def discord(notice: Notice) -> str:
    """Discord's Markdown, with a list of the tickets."""
    return "\n".join(
        "- "
        + SEPARATOR.join(
            (*(p.translate(_MARKDOWN) for p in line.pieces), *([f"<{line.url}>"] if line.url else ()))
        )
        for line in notice.lines
    )


def google_chat(notice: Notice) -> str:
    """The text of Google Chat."""
    lines = [
        SEPARATOR.join(
            (*(piece.translate(_ANGLES) for piece in line.pieces), *([line.url] if line.url else ()))
        )
        for line in notice.lines
    ]
    return "\n".join((notice.subject.translate(_ANGLES), *lines))
