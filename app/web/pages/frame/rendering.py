"""Renders templates: one environment for each room and language, so that macros and includes are in that language too.

In a template `_("Due {due}", due=…)` is a phrase and `ngettext("{n} ticket", "{n} tickets", n)` one with a number. Both
escape what is filled in. The room's catalogue comes first, then the frame's, then the one of messages.
"""

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, cast

from markupsafe import Markup, escape

from app.delivery.wording.catalogues import Folders, translations
from app.delivery.wording.language import Language
from app.delivery.wording.wording import CATALOGUES
from app.web.pages.frame.addresses import ticket_path
from app.web.pages.frame.assets import PAGES
from app.web.pages.frame.files.fault_texts import fault_text
from app.web.pages.frame.words import Words

if TYPE_CHECKING:
    from jinja2 import Environment

FRAME: Final = "frame"


def folders(room: str) -> Folders:
    """The folders of the catalogues of a room."""
    own = (PAGES / room / "locale",) if room != FRAME else ()
    return (*own, PAGES / FRAME / "locale", CATALOGUES)


def words_of(room: str, language: Language, zone: str | None = None) -> Words:
    """The words of a room in a language, for a reader in a zone."""
    return Words(language, folders(room), zone)


@cache
def environment(room: str, language: Language) -> "Environment":
    """The environment of a room's templates in a language."""
    # Where only the API is used, no page is rendered.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    words = words_of(room, language)
    made = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def say(phrase: str, **values: Any) -> Markup:
        return Markup(escape(words.phrase(phrase))).format(**values)  # noqa: S704 - the phrase is escaped

    def count(one: str, many: str, n: int, **values: Any) -> Markup:
        found = translations(words.language, words.folders).ngettext(one, many, n)
        return Markup(escape(found)).format(n=words.number(n), **values)  # noqa: S704 - the phrase is escaped

    cast("dict[str, object]", made.globals).update(
        _=say,
        ngettext=count,
        words=words,
        fault_text=partial(fault_text, words),
        ticket_path=ticket_path,
    )
    return made


def render(room: str, language: Language, template: str, context: dict[str, Any]) -> str:
    """A template as HTML; its name is relative to the folder of the pages, as in `now/rows.html`."""
    return environment(room, language).get_template(template).render(context)
