"""`make looks`: every page in every language, theme and width. PICTURES=1 writes docs/pictures, LOOKS=3 takes fewer.

The last line counts what was looked at and what is wrong.
"""

import os
import sys
import tempfile
from itertools import islice
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.chromium import ARGS, chromium_path
from tests.looks.demo import SIGN_IN, demo_in, every_page, signed_in
from tests.looks.looked import every_look, faults_of, looking
from tests.looks.pictures import take


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Look at everything, and return 1 if anything is wrong."""
    looks = list(islice(every_look(), int(os.environ.get("LOOKS", "0")) or None))
    wrong = seen = 0
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGS])
        with demo_in(Path(folder)) as site:
            context = signed_in(browser, site)
            state, every = context.storage_state(), every_page(context, site)
            if os.environ.get("PICTURES"):
                _write(f"{take(browser, site, state)} pictures")
            for look in looks:
                for who, pages in ((state, every), (None, {"sign-in": SIGN_IN})):
                    with looking(browser, look, who) as page:
                        for name, faults in faults_of(page, site, pages):
                            seen += 1
                            wrong += len(faults)
                            for fault in faults:
                                _write(f"{name} ({look}): {fault}")
        browser.close()
    _write(f"{seen} pages in {len(looks)} looks, {wrong} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
