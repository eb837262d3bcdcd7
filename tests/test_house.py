"""The house rules that no linter knows: names, docstrings, lock files, and pages that agree with the code.

Each reads files only; none needs git, make or a network.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK_FILES = ("requirements.lock", "requirements-dev.lock")

# A name that says nothing invites everything: such a module only ever grows.
NAMES_THAT_SAY_NOTHING = {"common", "helpers", "misc", "models", "schemas", "services", "shared", "utils"}

# Folders that tools make, by name.
MADE_BY_TOOLS = {"__pycache__", "build", "dist", "node_modules"}
TEXT = {
    ".cfg",
    ".css",
    ".csv",
    ".html",
    ".js",
    ".json",
    ".jsonl",
    ".lock",
    ".md",
    ".py",
    ".svg",
    ".toml",
    ".txt",
    ".yml",
}
TEXT_WITHOUT_SUFFIX = {"Dockerfile", "Makefile", "run", ".dockerignore", ".gitignore"}

# Where somebody's checkout lies, and where somebody's packages come from, hold for one machine only.
ONE_MACHINE_ONLY = re.compile(
    r"(?<![\w.:/])/(?:work|root|home|Users)/\w|pypi\.(?:org|python)|pythonhosted\.|npmjs\.|registry\.yarnpkg|\.debian\.org/debian"
)


def _files() -> Iterator[Path]:
    """Every file of the project, leaving out what tools make."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.is_dir():
                hidden = path.name.startswith(".") and path.name != ".ci"
                if not hidden and path.name not in MADE_BY_TOOLS and not path.name.endswith(".egg-info"):
                    folders.append(path)
            elif path.suffix in TEXT or path.name in TEXT_WITHOUT_SUFFIX:
                yield path


def _modules() -> list[Path]:
    return sorted((ROOT / "app").rglob("*.py"))


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _locked(lock_file: str) -> dict[str, set[str]]:
    """The pinned versions of each package; there may be one for each of several Pythons."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / lock_file).read_text(), re.MULTILINE):
        versions.setdefault(_folded(name), set()).add(version)
    return versions


def _folded(requirement: str) -> str:
    """The package's name alone, as the index compares it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def _make_targets() -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _pages() -> list[Path]:
    return [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if path.exists()]


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in _modules()
        if {*path.parts, path.stem} & NAMES_THAT_SAY_NOTHING
    ]
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    without = [
        str(path.relative_to(ROOT))
        for path in _modules()
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert _modules()
    assert without == []


def test_no_text_holds_for_one_machine_only() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in _files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ONE_MACHINE_ONLY.search(line) and path != Path(__file__)
    ]
    assert found == []


@pytest.mark.parametrize("lock_file", LOCK_FILES)
def test_a_lock_file_names_no_address_and_hashes_everything(lock_file: str) -> None:
    text = (ROOT / lock_file).read_text()
    assert "://" not in text
    assert not re.search(r"^(?:-| *--(?!hash=)|[\w.-]+ *@)", text, re.MULTILINE), "only names and hashes"
    pins = re.findall(r"^[\w.-]+==.*?(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    assert pins
    assert [pin.split(maxsplit=1)[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock_file", LOCK_FILES)
def test_every_dependency_is_locked(lock_file: str) -> None:
    project = _project()
    wanted = {*project["project"]["dependencies"], *project["dependency-groups"]["build"]}
    if lock_file == "requirements-dev.lock":
        wanted.update(project["dependency-groups"]["dev"])
    assert {_folded(requirement) for requirement in wanted} - _locked(lock_file).keys() == set()


def test_both_lock_files_agree() -> None:
    runs, develops = (_locked(lock_file) for lock_file in LOCK_FILES)
    assert {name: develops.get(name) for name in runs} == runs


def test_the_changelog_tells_of_this_version() -> None:
    version = _project()["project"]["version"]
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert any(heading.split()[0].strip("[]") == version for heading in headings), headings


def test_make_help_lists_every_target_that_a_page_mentions() -> None:
    targets = _make_targets()
    assert targets >= {"help", "env", "demo", "test", "test-browser", "test-clients", "check", "bench"}
    mentioned = {
        target: page.name
        for page in _pages()
        for target in re.findall(r"(?:`|^\s*|\$ )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    }
    assert {target: page for target, page in mentioned.items() if target not in targets} == {}


def test_make_help_lists_every_phony_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == _make_targets()


def test_the_image_copies_only_what_exists_and_what_is_not_ignored() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    sources = {source for copy in copies for source in copy.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources
    assert {source for source in sources if not (ROOT / source).exists()} == set()
    assert sources == allowed


def test_the_image_does_not_run_as_root() -> None:
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    users = re.findall(r"^USER (\S+)$", stages[-1], re.MULTILINE)
    assert users
    assert users[-1].partition(":")[0] not in {"root", "0"}
    assert "HEALTHCHECK" in stages[-1]


# -- plain words ---------------------------------------------------------------------------------------------------

PRIVATE_WORDS = {
    r"tell|tells|telling|told|untold": "emit, record, report, notify",
    r"nobody|whoever": "no client, any process",
    r"ripe": "eligible, candidate",
    r"noughts?": "zeros",
    r"(?:take|takes|taking|took|taken) the word|shares? a key": "take a lock",
    r"(?:let|lets|letting) go of": "release, delete",
    r"(?:take|takes|taking|took|taken) in": "append, insert, store, accept",
    r"stints?": "wait interval",
    r"couriers?": "deliverer",
    r"seats?": "connection, lock",
    r"by (?:itself|themselves)": "periodically, automatically",
    r"in the way": "contention, unavailable",
    r"bells?|hearers?": "wake-up, listener",
    r"glances?": "quick check",
    r"neighbou?rs?|standing": "snapshot chain, valid signal",
    r"famil(?:y|ies)": "merge graph",
    r"keeping": "retention",
    r"patience|patient|impatient": "timeout",
    r"just told|late ones": "latest activity, overdue",
    r"promis(?:e|es|ed)": "commitment",
    r"said": "reported, stated",
    r"mend|mends|mended|mending": "correct, repair",
    r"parted": "partitioned",
    r"moments?": "transition, instant",
    r"(?:un)?fold(?:s|ed|ing)?": "replay, archive, case-fold",
    r"wired?": "serialize",
}
"""Words of a private language, each with the standard terms to write instead (docs/concepts.md has the vocabulary)."""

ALLOWED_PRIVATE_WORDS = {
    # A value of `unknown_author` that desks' files of sources may hold.
    ("app/intake/systems/glpi.py", "nobody"),
    # Former names of settings, until they are removed.
    ("app/settings/renamed.py", "patience"),
    ("app/settings/renamed.py", "glance"),
    ("app/settings/renamed.py", "fold"),
    ("CHANGELOG.md", "patience"),
    ("CHANGELOG.md", "glance"),
    ("CHANGELOG.md", "fold"),
    # The attribute of SVG that names a font.
    ("app/web/pages/embed/badge.py", "family"),
    # Names in the database. They stay for this release: processes of the release before read and write them too.
    ("app/store/tables/tickets.py", "stint"),
    ("app/store/tables/tickets.py", "folded"),
    # An attribute of SVG.
    ("app/web/pages/charts/svg.py", "family"),
    # Texts of API answers. They stay byte for byte: clients may compare them.
    ("app/flow/query/reasons.py", "promised"),
    ("app/web/api/tickets/tickets.py", "told"),
}
"""(file, word): a word that a file may use, with the reason above it."""


def _private_words(path: Path) -> Iterator[str]:
    """The private words of a file, each with its line and the standard terms."""
    name = str(path.relative_to(ROOT))
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for pattern, standard in PRIVATE_WORDS.items():
            for match in re.finditer(rf"(?<![a-z])(?:{pattern})(?![a-z])", line.lower()):
                if (name, match[0]) not in ALLOWED_PRIVATE_WORDS:
                    yield f"{name}:{number}: {match[0]} (write: {standard})"


def test_code_and_pages_use_the_words_of_the_field() -> None:
    # Migrations are history: they stay as they were run.
    code = [path for path in _modules() if "versions" not in path.parts]
    written = [*code, *_pages(), ROOT / "CHANGELOG.md", *sorted((ROOT / "app").rglob("*.html"))]
    found = [word for path in written for word in _private_words(path)]
    assert found == [], f"{len(found)} private words"
