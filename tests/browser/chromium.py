"""The Chromium that drives the pages, and how it is started."""

import os
import shutil
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str:
    """CHROMIUM, or the first of the usual names on the PATH. Raises FileNotFoundError with the remedy."""
    wanted = os.environ.get("CHROMIUM")
    found = wanted or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None or not Path(found).exists():
        raise FileNotFoundError(
            "no Chromium found: apt install chromium, or name one with CHROMIUM=/path/to/chromium"
        )
    return found
