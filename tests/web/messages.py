"""What the pages say, by room, as their code and templates say it, and the catalogues that translate it.

`python -m tests.web.messages` adds what is missing to the catalogues of all rooms and removes what is unused. Entries
are sorted, so that two branches that add phrases merge.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from app.delivery.wording.language import Language
from app.delivery.wording.wording import CATALOGUES
from app.web.pages.frame.assets import PAGES
from app.web.pages.frame.rendering import FRAME
from app.web.pages.routes import ROOMS

Key = str | tuple[str, ...]
"""A phrase, or one with its plural."""

TRANSLATED = [language for language in Language if language is not Language.EN]
ROOM_NAMES = [FRAME, *(room.name for room in ROOMS)]
_PYTHON = {"N_": None, "NN_": (1, 2), "say": None}
_TEMPLATE = {"_": None, "ngettext": (1, 2)}
_HEADER = """# What the pages of slatimer say: {room}, {language}.
msgid ""
msgstr ""
"Project-Id-Version: slatimer 1\\n"
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


def _extracted(folder: Path) -> set[Key]:
    found: set[Key] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py":
            messages = extract_from_file("python", path, keywords=_PYTHON)
        elif path.suffix == ".html":
            messages = extract_from_file(
                "jinja2.ext:babel_extract", path, keywords=_TEMPLATE, options={"silent": "false"}
            )
        else:
            continue
        found |= {message if isinstance(message, str) else tuple(message) for _, message, *_ in messages}
    return found


def path_of(room: str, language: Language) -> Path:
    """The catalogue of a room in a language."""
    return PAGES / room / "locale" / f"{language.value}.po"


def key_of(message: Message) -> Key:
    """The phrase of an entry."""
    return message.id if isinstance(message.id, str) else tuple(message.id)


def read(path: Path, language: Language) -> Catalog:
    """A catalogue; an empty one if there is no file."""
    if not path.exists():
        return Catalog(locale=language.value)
    with path.open("rb") as source:
        return read_po(source, locale=language.value)


def entries(catalogue: Catalog) -> Iterator[Message]:
    """The entries of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def wanted(room: str) -> set[Key]:
    """What the catalogues of a room must have: what it says, less what the catalogues behind it have."""
    said = _extracted(PAGES / room)
    if room != FRAME:
        said -= wanted(FRAME)
    return said - {key_of(each) for each in entries(read(CATALOGUES / "fr.po", Language.FR))}


def update(room: str, language: Language) -> list[Key]:
    """Write a room's catalogue with exactly the phrases that it must have. Returns those without a translation."""
    path, phrases = path_of(room, language), wanted(room)
    known = {key_of(message): message.string for message in entries(read(path, language))}
    if not phrases:
        path.unlink(missing_ok=True)
        return []
    plural = read(CATALOGUES / f"{language.value}.po", language)
    parts = [_HEADER.format(room=room, language=language.value, plural=plural.plural_forms)]
    parts += [_entry(key, known.get(key), plural.num_plurals) for key in sorted(phrases, key=str)]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")
    return [key for key in phrases if not known.get(key)]


def _entry(key: Key, translated: object, forms: int) -> str:
    if isinstance(key, str):
        return f"msgid {_quoted(key)}\nmsgstr {_quoted(str(translated or ''))}\n"
    texts = list(translated) if isinstance(translated, (list, tuple)) else [""] * forms
    lines = [f"msgid {_quoted(key[0])}", f"msgid_plural {_quoted(key[1])}"]
    lines += [f"msgstr[{place}] {_quoted(text)}" for place, text in enumerate(texts)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    for room in ROOM_NAMES:
        for language in TRANSLATED:
            for key in update(room, language):
                print(f"{room} {language.value}: {key}")  # noqa: T201 - a command
