"""The badge: a small SVG image with a label and what it says, for pages that cannot have a frame. Pure."""

from html import escape
from typing import Final

_COLOURS: Final = {"late": "#b02a1c", "running": "#1f6f5f", "still": "#56625d", "met": "#1f6f5f"}
_INK, _LABEL_GROUND = "#ffffff", "#33403b"
_HEIGHT: Final = 22
_PAD: Final = 8
_CHARACTER: Final = 6.6
"""Width of a character of the font, in pixels. `textLength` fits the text into it, whatever font the reader has."""


def badge(label: str, text: str, mood: str) -> str:
    """The image of a label and a text; `mood`: late, running, still or met, which only colours it."""
    left, right = (round(len(each) * _CHARACTER) for each in (label, text))
    edge, width = left + 2 * _PAD, left + right + 4 * _PAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}: {escape(text)}">'
        f"<title>{escape(label)}: {escape(text)}</title>"
        f'<rect width="{width}" height="{_HEIGHT}" rx="4" fill="{_LABEL_GROUND}"/>'
        f'<path d="M{edge} 0h{width - edge - 4}a4 4 0 0 1 4 4v{_HEIGHT - 8}a4 4 0 0 1-4 4H{edge}z" '
        f'fill="{_COLOURS[mood]}"/>'
        f'<g fill="{_INK}" font-family="system-ui,Segoe UI,Roboto,DejaVu Sans,sans-serif" font-size="12">'
        f'<text x="{_PAD}" y="15" textLength="{left}">{escape(label)}</text>'
        f'<text x="{edge + _PAD}" y="15" textLength="{right}">{escape(text)}</text></g></svg>'
    )
