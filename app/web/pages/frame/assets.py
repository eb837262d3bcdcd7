"""The static files of all rooms, read once. Their path has a digest of their content: browsers cache them for ever and
never mix two releases.

Files of all rooms share one folder in the address, so that scripts import each other as `./name.js`; each has a name of
its own.
"""

import re
from hashlib import blake2b
from pathlib import Path
from typing import Final

PAGES: Final = Path(__file__).resolve().parent.parent
MEDIA_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

FILES: Final = {
    path.name: path.read_bytes()
    for folder in (PAGES / "static", *sorted(PAGES.glob("*/static")))
    for path in sorted(folder.iterdir())
    if path.suffix in MEDIA_TYPES
}
"""All static files by name, some dozen kilobytes."""


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for name, content in FILES.items():
        digest.update(b"%b\0%d\0" % (name.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()


STATIC: Final = f"/static/{_digest()}"
"""The path of this release's files."""

_IMPORT: Final = re.compile(rb'from "\./([\w.]+)"')


def imported(*scripts: str) -> tuple[str, ...]:
    """All modules that scripts import, directly or not. A page preloads them, to fetch them in parallel."""
    found = dict.fromkeys(scripts)
    queue = list(scripts)
    while queue:
        for name in (match.decode() for match in _IMPORT.findall(FILES[queue.pop()])):
            if name not in found:
                found[name] = None
                queue.append(name)
    return tuple(found)[len(scripts) :]
