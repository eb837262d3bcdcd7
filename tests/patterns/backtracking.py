"""A backtracking matcher that counts its steps, for patterns as Python parses them.

It does what Python's engine does, one instruction at a time and without that engine's shortcuts, so that the cost of a
pattern is a number that no machine and no load changes. `Matcher.steps` is what the tests compare.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from re import _constants as op  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

MOST_STEPS: Final = 300_000
"""Steps after which a match is given up: a linear pattern takes a tenth of it for the longest text of the tests."""

_MOST_COPIES: Final = 70
"""A bounded repetition is written out this often. A greater bound counts as none."""

Instruction = tuple[str, Any, Any]


class TooManySteps(Exception):
    """A match took more than MOST_STEPS."""


@dataclass
class _Frame:
    """Where to go on after a failure: the instruction, the place, and the registers."""

    pc: int
    place: int
    registers: dict[Any, Any]


class Matcher:
    """A pattern as a program of few instructions."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
        flags = pattern.flags if isinstance(pattern.pattern, str) else pattern.flags & ~re.UNICODE
        text_flags = flags | (re.ASCII if isinstance(pattern.pattern, bytes) else 0)
        self.tree = parser.parse(source, text_flags)
        self.flags = text_flags
        self._program: list[Instruction] = []
        self._labels = 0
        self._sequence(self.tree)
        self._program.append(("match", None, None))
        self.steps = 0

    def full(self, text: str) -> bool:
        """Whether the whole text matches."""
        self.steps = 0
        return self._run(text, 0, lambda end: end == len(text)) is not None

    def start(self, text: str) -> bool:
        """Whether a match begins where the text begins."""
        self.steps = 0
        return self._run(text, 0, lambda _: True) is not None

    def all(self, text: str) -> int:
        """How many matches a search from the left finds, each after the one before."""
        self.steps = found = place = 0
        while place <= len(text):
            end = self._run(text, place, lambda _: True)
            found += end is not None
            place = max(place + 1, end or 0)
        return found

    def _run(self, text: str, start: int, accepted: Callable[[int], bool], pc: int = 0) -> int | None:
        """Where the first accepted match ends; None when every way fails."""
        stack = [_Frame(pc, start, {})]
        while stack:
            frame = stack.pop()
            while (kind := self._program[frame.pc][0]) != "match":
                self._count()
                if not self._step(kind, frame, stack, text):
                    break
            else:
                if accepted(frame.place):
                    return frame.place
        return None

    def _count(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooManySteps

    def _step(self, kind: str, frame: _Frame, stack: list[_Frame], text: str) -> bool:
        """Do one instruction. Returns false when this way fails."""
        _, first, second = self._program[frame.pc]
        frame.pc += 1
        match kind:
            case "split":
                stack.append(_Frame(second, frame.place, frame.registers))
                frame.pc = first
            case "jump":
                frame.pc = first
            case "save":
                frame.registers = {**frame.registers, first: frame.place}
            case "depth":
                frame.registers = {**frame.registers, first: len(stack)}
            case "cut":  # an atomic group is left: what it could still try is forgotten
                del stack[frame.registers[first] :]
            case _:
                width = self._width(kind, frame, text)
                frame.place += width or 0
                return width is not None
        return True

    def _width(self, kind: str, frame: _Frame, text: str) -> int | None:
        """How many characters an instruction takes; None when it refuses what is there."""
        _, first, second = self._program[frame.pc - 1]
        place, registers = frame.place, frame.registers
        match kind:
            case "set":
                return 1 if place < len(text) and first(text[place]) else None
            case "at":
                return 0 if _is_at(first, text, place) else None
            case "moved":  # an empty round of a loop ends it
                return None if registers.get(first) == place else 0
            case "same":
                group = text[registers.get((first, 0), 0) : registers.get((first, 1), 0)]
                return len(group) if text.startswith(group, place) else None
            case "look":
                ahead, width, negated = second
                at = place if ahead else place - width
                seen = at >= 0 and self._run(text, at, lambda _: True, first) is not None
                return None if seen is negated else 0
            case _:
                raise AssertionError(kind)

    def _emit(self, kind: str, first: Any = None, second: Any = None) -> int:
        self._program.append((kind, first, second))
        return len(self._program) - 1

    def _label(self) -> str:
        self._labels += 1
        return f"label {self._labels}"

    def _sequence(self, nodes: Any) -> None:
        for kind, argument in nodes:
            self._node(kind, argument)

    def _node(self, kind: Any, argument: Any) -> None:
        match str(kind):
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                self._emit("set", charset(kind, argument, self.flags))
            case "AT":
                self._emit("at", argument)
            case "SUBPATTERN":
                self._emit("save", (argument[0], 0))
                self._sequence(argument[3])
                self._emit("save", (argument[0], 1))
            case "BRANCH":
                self._branch(argument[1])
            case "MAX_REPEAT" | "MIN_REPEAT":
                self._repeat(*argument, greedy=kind is op.MAX_REPEAT)
            case "POSSESSIVE_REPEAT":
                self._atomic(lambda: self._repeat(*argument, greedy=True))
            case "ATOMIC_GROUP":
                self._atomic(lambda: self._sequence(argument))
            case "GROUPREF":
                self._emit("same", argument)
            case "ASSERT" | "ASSERT_NOT":
                self._look(argument, negated=kind is op.ASSERT_NOT)
            case "FAILURE":
                self._emit("set", lambda _: False)
            case _:
                raise NotImplementedError(f"{kind}: teach the matcher this form")

    def _atomic(self, body: Callable[[], None]) -> None:
        label = self._label()
        self._emit("depth", label)
        body()
        self._emit("cut", label)

    def _branch(self, choices: Any) -> None:
        ends: list[int] = []
        for choice in choices[:-1]:
            split = self._emit("split")
            self._sequence(choice)
            ends.append(self._emit("jump"))
            self._program[split] = ("split", split + 1, len(self._program))
        self._sequence(choices[-1])
        for end in ends:
            self._program[end] = ("jump", len(self._program), None)

    def _repeat(self, least: Any, most: Any, body: Any, *, greedy: bool) -> None:
        for _ in range(min(least, _MOST_COPIES)):
            self._sequence(body)
        if most is op.MAXREPEAT or most > _MOST_COPIES:
            label, split = self._label(), self._emit("split")
            self._emit("save", label)
            self._sequence(body)
            self._emit("moved", label)
            self._emit("jump", split)
            self._close(split, greedy=greedy)
            return
        splits: list[int] = []
        for _ in range(most - least):
            splits.append(self._emit("split"))
            self._sequence(body)
        for split in splits:
            self._close(split, greedy=greedy)

    def _close(self, split: int, *, greedy: bool) -> None:
        inside, after = split + 1, len(self._program)
        self._program[split] = ("split", inside, after) if greedy else ("split", after, inside)

    def _look(self, argument: Any, *, negated: bool) -> None:
        direction, body = argument
        jump = self._emit("jump")
        begin = len(self._program)
        self._sequence(body)
        self._emit("match")
        self._program[jump] = ("jump", len(self._program), None)
        self._emit("look", begin, (direction > 0, body.getwidth()[0], negated))


def charset(kind: Any, argument: Any, flags: int) -> Callable[[str], bool]:
    """Whether a node for one character takes a character."""
    match str(kind):
        case "ANY":
            return (lambda _: True) if flags & re.DOTALL else (lambda char: char != "\n")
        case "LITERAL":
            return _folded(lambda char: ord(char) == argument, flags)
        case "NOT_LITERAL":
            return lambda char: ord(char) != argument
        case _:
            negated = argument[0][0] is op.NEGATE
            tests = [_member(one, value, flags) for one, value in argument if one is not op.NEGATE]
            return _folded(lambda char: any(test(char) for test in tests) is not negated, flags)


def _folded(test: Callable[[str], bool], flags: int) -> Callable[[str], bool]:
    return (lambda char: test(char.lower()) or test(char.upper()[:1])) if flags & re.IGNORECASE else test


def _member(kind: Any, argument: Any, flags: int) -> Callable[[str], bool]:
    if kind is op.LITERAL:
        return lambda char: ord(char) == argument
    if kind is op.RANGE:
        return lambda char: argument[0] <= ord(char) <= argument[1]
    letter = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[
        str(argument).removeprefix("CATEGORY_").removeprefix("NOT_")
    ]
    category = re.compile(letter, flags & re.ASCII)
    wanted = "NOT_" not in str(argument)
    return lambda char: (category.match(char) is not None) is wanted


def _is_at(where: Any, text: str, place: int) -> bool:
    match str(where):
        case "AT_BEGINNING" | "AT_BEGINNING_STRING":
            return place == 0
        case "AT_END":
            return place == len(text) or (place == len(text) - 1 and text[place] == "\n")
        case "AT_END_STRING":
            return place == len(text)
        case "AT_BOUNDARY" | "AT_NON_BOUNDARY":
            before = place > 0 and (text[place - 1].isalnum() or text[place - 1] == "_")
            after = place < len(text) and (text[place].isalnum() or text[place] == "_")
            return (before != after) is (str(where) == "AT_BOUNDARY")
        case _:
            raise NotImplementedError(f"{where}: teach the matcher this form")
