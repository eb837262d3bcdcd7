"""Forms of a page as a browser without scripts sends them: found in the HTML, filled in, and submitted by a button."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from tests.web.room import Room

ORIGIN = {"Origin": "http://testserver"}


@dataclass
class Form:
    """A form: its fields as they stand in the page, with the buttons apart, and the options of its selects."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    boxes: set[tuple[str, str]] = field(default_factory=set)

    def value(self, name: str) -> str:
        """The first value of a field."""
        return next(value for known, value in self.fields if known == name)

    def filled(self, **given: str) -> "Form":
        """With other values: of names with dots as `c0__target`. Of a field that stands several times, the first."""
        left = {name.replace("__", "."): value for name, value in given.items()}
        fields = [(name, left.pop(name, value)) for name, value in self.fields]
        boxes = {(name, value) for name, value in left.items() if (name, value) in self.boxes}
        assert len(boxes) == len(left), (left, sorted({name for name, _ in self.fields}))
        return Form(self.action, [*fields, *boxes], self.buttons, self.boxes)

    def without(self, name: str, value: str) -> "Form":
        """With a box that is no longer ticked."""
        assert (name, value) in self.fields
        fields = [each for each in self.fields if each != (name, value)]
        return Form(self.action, fields, self.buttons, self.boxes)

    def sent(self, room: Room, key: dict[str, str], button: tuple[str, str] | None = None) -> Any:
        """Press a button, which must be there; without one the first, as Enter does. Returns the answer."""
        pressed = button or next(iter(self.buttons), None)
        assert pressed is None or pressed in self.buttons, (pressed, self.buttons)
        data: dict[str, list[str]] = {}
        for name, value in [*self.fields, *([pressed] if pressed and pressed[0] else [])]:
            data.setdefault(name, []).append(value.replace("\n", "\r\n"))
        return room.client.post(self.action, data=data, headers=key | ORIGIN, follow_redirects=False)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._inert = 0
        self._select: tuple[str, list[str]] | None = None
        self._area: str | None = None
        self._option: tuple[str | None, bool] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "template":
            self._inert += 1
        if tag == "form" and given.get("method") == "post":
            self._open = Form(given["action"])
            self.forms.append(self._open)
        if self._open is None or self._inert:
            return
        match tag:
            case "input":
                self._input(self._open, given)
            case "button" if given.get("type", "submit") == "submit":
                self._open.buttons.append((given.get("name", ""), given.get("value", "")))
            case "select":
                self._select = (given["name"], [])
            case "option" if self._select is not None:
                self._option = (given.get("value"), "selected" in given)
                self._text = ""
            case "textarea":
                self._area, self._text = given["name"], ""
            case _:
                pass

    def _input(self, form: Form, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if given.get("type") == "checkbox":
            value = given.get("value", "on")
            form.boxes.add((name, value))
            if "checked" not in given:
                return
        if name:
            form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._inert -= 1
        if tag == "form":
            self._open = None
        if self._open is None:
            return
        if tag == "option" and self._select is not None and self._option is not None:
            value, is_selected = self._option
            self._select[1].insert(
                0 if is_selected else len(self._select[1]), self._text if value is None else value
            )
            self._option = None
        if tag == "select" and self._select is not None:
            name, options = self._select
            self._open.fields.append((name, options[0]))
            self._select = None
        if tag == "textarea" and self._area is not None:
            self._open.fields.append((self._area, self._text.removeprefix("\n")))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None or self._option is not None:
            self._text += data


def forms_of_page(html: str) -> list[Form]:
    """The forms of a page that are posted, in their order."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def form_to(html: str, action: str) -> Form:
    """The first form of a page that is posted to this address, with or without a query."""
    return next(
        each for each in forms_of_page(html) if action in (each.action, each.action.partition("?")[0])
    )
