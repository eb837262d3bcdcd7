"""Every pattern in the code is matched in steps that grow linearly with the text, whatever the text is."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import pytest

import app
from app.sla.queue.duplicate import _prefixes
from tests.patterns.attacks import pairs
from tests.patterns.backtracking import Matcher, TooManySteps

_APP: Final = Path(app.__file__).parent
_MOST_RATIO: Final = 2.1
"""Steps for a text of twice the length. A linear pattern has 2, a quadratic one 4."""
_FIXED: Final = 250
"""Steps that do not count, for a repetition that begins at a least number. A quadratic pattern takes thousands."""

_MODES: Final = {"fullmatch": Matcher.full, "match": Matcher.start} | dict.fromkeys(
    ("search", "split", "sub", "subn", "findall", "finditer"), Matcher.all
)
"""How a text is searched by each method of a pattern."""
_FUNCTIONS: Final = {"compile", *_MODES}
_BUILT: Final = {
    "app.sla.queue.duplicate": [_prefixes(("re", "fwd", "re: re", "aw", "a", "aa")), _prefixes(())],
}
"""Patterns that a function builds, with arguments that make them hard."""
_TABLES: Final = {"app.intake.importing.guess": lambda module: [one for one, _ in module._MEANINGS]}
"""Tables of pattern texts."""


_IMPORTED: Final = re.compile(r"\bimport .*\bre\b")


def _modules() -> Iterator[tuple[str, ast.Module]]:
    """The modules that may import the engine. The others are not parsed: every process that collects tests does this."""
    for path in sorted(_APP.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if _IMPORTED.search(text):
            name = ".".join(("app", *path.relative_to(_APP).with_suffix("").parts)).removesuffix(".__init__")
            yield name, ast.parse(text)


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls of the module `re`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in _FUNCTIONS
        ):
            yield node


Mode = Callable[[Matcher, str], object]


@dataclass(frozen=True, slots=True)
class Used:
    """A pattern of a module, and how the module uses it."""

    pattern: re.Pattern[Any]
    modes: frozenset[Mode]


def _of_module(name: str, tree: ast.Module) -> Iterator[Used]:
    outer = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    at_import = {call for node in outer for call in _calls(ast.Module([node], []))}
    calls = list(_calls(tree))
    for call in calls:
        found = [] if call in at_import else _within_a_function(name, call)
        assert found or call in at_import, (
            f"{name}, line {call.lineno}: add what this builds to _BUILT or _TABLES"
        )
        for pattern in found:
            yield Used(re.compile(pattern), _modes({cast("ast.Attribute", call.func).attr}))
    for constant, value in vars(import_module(name)).items() if calls else ():
        used = _modes(_methods_of(constant, tree))
        yield from (Used(one, used) for one in _flat(value) if isinstance(one, re.Pattern))


def _within_a_function(name: str, call: ast.Call) -> list[Any]:
    """The patterns that a call within a function compiles or matches."""
    if not isinstance(call.args[0], ast.Constant):
        return [*_BUILT.get(name, []), *_TABLES.get(name, lambda _: [])(import_module(name))]
    flags = (getattr(re, one.attr) for one in call.args[1:] if isinstance(one, ast.Attribute))
    return [re.compile(cast("str", call.args[0].value), sum(flags))]


def _methods_of(constant: str, tree: ast.Module) -> set[str]:
    """The methods of a constant that the module names."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == constant
    }


def _modes(methods: set[str]) -> frozenset[Mode]:
    """How a pattern is used; in every way, where the code does not show it."""
    return frozenset(_MODES[one] for one in methods if one in _MODES) or frozenset(_MODES.values())


def _flat(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return list(cast("list[Any]", value)) if isinstance(value, tuple | list | frozenset) else [value]


USED: Final = {
    f"{name}: {one.pattern.pattern!r} {' '.join(sorted(mode.__name__ for mode in one.modes))}": one
    for name, tree in _modules()
    for one in _of_module(name, tree)
}


def _worse_than_linear(used: Used) -> str | None:
    """A text for which twice the length takes more than twice the steps; none if there is no such text."""
    matcher = Matcher(used.pattern)
    for short, long in pairs(matcher):
        for mode in used.modes:
            try:
                mode(matcher, short)
                before = matcher.steps
                mode(matcher, long)
            except TooManySteps:
                return f"{mode.__name__} {short[:20]!r}…{short[-3:]!r}: beyond measure"
            if matcher.steps > _MOST_RATIO * before + _FIXED:
                return f"{mode.__name__} {short[:20]!r}…{short[-3:]!r}: {before} steps, then {matcher.steps}"
    return None


@pytest.mark.parametrize("name", USED)
def test_twice_the_text_takes_at_most_twice_the_steps(name: str) -> None:
    assert _worse_than_linear(USED[name]) is None


def test_every_module_that_imports_the_engine_is_enumerated() -> None:
    importing = {
        name
        for name, tree in _modules()
        if any(
            isinstance(node, ast.Import) and any(one.name == "re" for one in node.names)
            for node in ast.walk(tree)
        )
    }
    assert importing == {name.partition(":")[0] for name in USED}


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|aa)+$",
        r"(\w+\s?)*!",
        r"\s+$",
        r"\{\s*(\w+)\s*:\s*(.*?)\s*\}",
        r"\{\s*from\s*:(.*?),\s*to\s*:(.*?)\s*\}",
        r'\s*"(\w+)"\s*:\s*"(.*)"\s*,?\s*',
        r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?",
        r"(?:(\d+)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+)\s*s)?",
        r"customer.*(repl|respon|comment)",
    ],
)
def test_a_pattern_that_explodes_is_found(pattern: str) -> None:
    assert _worse_than_linear(Used(re.compile(pattern), _modes(set()))) is not None


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"(?P<q>['\"])\w*(?P=q)", ["'a'", "'a\"", '""']),
        (r"(?>a+)b?a", ["aab", "aa", "aaba"]),
        (r"(?<=\d) (?=\d\d)", ["1 23", " "]),
        (r"x{2,3}?(?:y|z)*+!", ["xx!", "xxxyz!", "x!"]),
        (r"^(?:a*)*$", ["", "aaa", "ab"]),
        (r"[^\W_]\b", ["a", "_", "ab"]),
    ],
)
def test_the_counting_matcher_agrees_with_the_engine(pattern: str, texts: list[str]) -> None:
    for text in texts:
        matcher = Matcher(re.compile(pattern))
        assert matcher.full(text) is (re.fullmatch(pattern, text) is not None)
        assert (matcher.all(text) > 0) is (re.search(pattern, text) is not None)
