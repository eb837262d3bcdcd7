"""The pages agree with the code: what they name exists, what they tabulate is complete, what they show is computed."""

import re
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import TypeAdapter

from app.cli.commands import cli, loaded
from app.flow.metrics import HOOKS, REGISTRY
from app.flow.query.reasons import span_text
from app.intake.importing.mapping import FaultyMapping, parse_mapping
from app.main import create_app
from app.settings import GROUPS, RENAMED, Settings
from app.settings.group import SettingsGroup
from app.settings.renamed import variable
from app.sla.agreement.credit_file import RULES
from app.sla.agreement.file import AgreementFault, parse_agreement
from app.sla.calendar import Calendar, CalendarFault, parse_calendars
from app.sla.calendar.target import Target
from app.sla.clock.evaluation import Version, evaluate
from app.sla.clock.explanation import explain
from app.sla.clock.signals import CLOCK_SIGNALS
from app.sla.clock.transition import State, Transition, TransitionKind
from app.sla.document.faults import FaultyFile
from app.sla.event import KNOWN_TYPES, Event
from app.sla.fields import TICKET_FIELDS
from app.sla.queue.signals import QueueKind
from app.sla.span import HOUR, Micros, instant, micros
from app.sla.ticket import STATUSES

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
README, CHANGELOG, CONCEPTS, FILES, OPERATING, IMPORTING = (
    (ROOT / page).read_text(encoding="utf-8")
    for page in (
        "README.md",
        "CHANGELOG.md",
        "docs/concepts.md",
        "docs/calendars-and-agreements.md",
        "docs/operating.md",
        "docs/importing.md",
    )
)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def table_after(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading, without its two head rows."""
    _, found, rest = text.partition(f"{heading}\n")
    assert found, f"no {heading!r}"
    rows = re.search(r"(?:^\|.*\n)+", re.split(r"\n#+ ", rest)[0], re.MULTILINE)
    assert rows, f"no table behind {heading!r}"
    lines = rows[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def first_words(text: str, heading: str) -> list[str]:
    """What the first column of that table names in code."""
    return [word for row in table_after(text, heading) for word in re.findall(r"`([^`]+)`", row[0])]


# -- what a page names exists ------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not leads_somewhere(page, link)] == []


def test_the_readme_leads_to_every_page() -> None:
    links = set(re.findall(r"\]\(([^)\s]+)\)", README))
    assert {str(page.relative_to(ROOT)) for page in PAGES[1:]} <= links


def commands_in(page: Path) -> Iterator[str]:
    """What a page shows to be typed after `slatimer`."""
    text = page.read_text(encoding="utf-8").replace("\\|", "|").replace("\\\n", " ")
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    lines = re.findall(r"^ {4,}(.+)$", text, re.MULTILINE) + [line for b in blocks for line in b.splitlines()]
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for code in (*lines, *(" ".join(span.split()) for span in spans)):
        yield from re.findall(r"(?:^|/)slatimer ([a-z][^#]*)", code)


def options_of(words: list[str]) -> set[str] | None:
    """The options of the command that these words begin with; none when there is no such command."""
    group: Any = typer.main.get_command(cli)
    command: Any = loaded(words[0]) if words[0] in group.list_commands(None) else None
    inner: dict[str, Any] = getattr(command, "commands", {})
    if inner:
        command = inner.get(words[1] if len(words) > 1 else "")
    return None if command is None else {option for each in command.params for option in each.opts}


@pages
def test_every_command_and_option_that_a_page_shows_exists(page: Path) -> None:
    wrong = [
        written
        for written in commands_in(page)
        for known in [options_of(written.split())]
        if known is None or not set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", written)) <= known
    ]
    assert wrong == []


def test_the_readme_lists_every_command() -> None:
    group: Any = typer.main.get_command(cli)
    assert {word.split()[1] for word in first_words(README, "## Commands")} == set(group.list_commands(None))


EVENT = re.compile(
    r"\b(?:ticket|customer|agent|note|status|call|request|anomaly|intervention|progress|part|service|claim|exclusion|"
    r"event|outage|maintenance)\.[a-z]{4,}\b(?![./(])"
)


@pages
def test_every_event_type_that_a_page_names_exists(page: Path) -> None:
    assert set(EVENT.findall(page.read_text(encoding="utf-8"))) - KNOWN_TYPES == set()


@pages
def test_every_signal_that_a_page_names_exists(page: Path) -> None:
    known = {*CLOCK_SIGNALS, *(f"queue.{kind}" for kind in QueueKind)}
    named = re.findall(r"`((?:clock|queue)\.[a-z_]+)`", page.read_text(encoding="utf-8"))
    assert set(named) - known == set()


@pages
def test_every_address_that_a_page_names_exists(page: Path) -> None:
    known: set[str] = {*create_app(Settings()).openapi()["paths"], "/openapi.json"}
    named = re.findall(r"(?:GET|POST|PATCH|DELETE) (/[a-z0-9/{}_-]+)", page.read_text(encoding="utf-8"))
    assert set(named) - known == set()


def test_where_to_add_names_files_that_exist() -> None:
    section = CONCEPTS.partition("## Where to add\n")[2]
    paths = re.findall(r"`((?:app|tests|docs|openapi)/[\w./-]+|[A-Z]+\.md)`", section)
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_where_to_add_covers_every_kind_of_change_in_five_steps() -> None:
    section = CONCEPTS.partition("## Where to add\n")[2]
    recipes = re.split(r"^\*\*(?:A|An) ", section, flags=re.MULTILINE)[1:]
    assert [recipe.partition("**")[0].rstrip(".") for recipe in recipes] == [
        "ticket system",
        "unit of targets",
        "kind of signal",
        "page",
        "setting",
        "table",
    ]
    assert [len(re.findall(r"^\d\. ", recipe, re.MULTILINE)) for recipe in recipes] == [5] * 6


# -- settings and metrics ----------------------------------------------------------------------------------------


def shown_default(value: object) -> str:
    """A default as the table writes it; a duration as it can be set."""
    match value:
        case None:
            return "none"
        case Path():
            return "the shipped ones"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            several = [str(each) for each in TypeAdapter(tuple).dump_python(value, mode="json")]
            return f"`{','.join(several)}`" if several else "none"
        case timedelta():
            return f"`{TypeAdapter(timedelta).dump_python(value, mode='json')}`"
        case _:
            return f"`{value}`"


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_the_settings_of_a_group_are_listed_with_default_and_meaning(group: type[SettingsGroup]) -> None:
    expected = [
        [
            f"`SLATIMER_{name.upper()}`",
            shown_default(field.get_default(call_default_factory=True)),
            field.description,
        ]
        for name, field in group.model_fields.items()
    ]
    assert table_after(OPERATING, f"### {group.__doc__}") == expected


def test_every_setting_belongs_to_one_group() -> None:
    assert sorted(name for group in GROUPS for name in group.model_fields) == sorted(Settings.model_fields)


def test_the_documented_defaults_can_be_set_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for group in GROUPS for row in table_after(OPERATING, f"### {group.__doc__}")]
    given = {name.strip("`"): value for name, value, _ in rows}
    for name, value in given.items():
        if value.startswith("`"):
            monkeypatch.setenv(name, value.strip("`"))
    as_written = Settings()
    for name in given:
        monkeypatch.delenv(name, raising=False)
    assert as_written == Settings()


def test_the_changelog_lists_every_renamed_setting() -> None:
    listed = [
        tuple(cell.strip("`") for cell in row) for row in table_after(CHANGELOG, "#### Renamed settings")
    ]
    assert listed == [(variable(old), variable(new)) for old, new in RENAMED.items()]


@pages
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"SLATIMER_[A-Z_]+", page.read_text(encoding="utf-8"))
    assert set(named) - {f"SLATIMER_{name.upper()}" for name in Settings.model_fields} == set()


def test_a_renamed_metric_keeps_its_former_name_for_a_release() -> None:
    HOOKS.labels("haisoft", "zammad", "accepted").inc()
    by_name = {metric.name: metric for metric in REGISTRY.collect()}
    new, former = by_name["slatimer_inbound_webhooks"], by_name["slatimer_hooks"]
    assert former.documentation.startswith("Deprecated, use slatimer_inbound_webhooks.")
    assert [(s.labels, s.value) for s in former.samples] == [(s.labels, s.value) for s in new.samples]
    assert {s.name for s in former.samples} == {"slatimer_hooks_total"}


def test_the_metrics_are_listed() -> None:
    create_app(Settings())  # the web's own metrics register with its modules
    suffixes = {"counter": "_total", "info": "_info"}
    counted = {m.name + suffixes.get(m.type, "") for m in REGISTRY.collect() if m.name.startswith("slatimer")}
    assert set(re.findall(r"`(slatimer_[a-z_]+)`", OPERATING)) == counted


# -- the files of a desk -----------------------------------------------------------------------------------------

UNKNOWN = "§"
"""A key that is near to no other, so that its refusal lists all that would be right."""


def keys_known_at(fault: FaultyFile, place: str) -> set[str]:
    """The keys that the refusal of the unknown one at this place names."""
    right = next(each.right for each in fault.faults if each.place == f"{place}{UNKNOWN}")
    return set(re.findall(r'"([^"]+)"', right))


def calendar_keys(place: str) -> set[str]:
    with pytest.raises(CalendarFault) as refused:
        Calendar.parse(
            {
                UNKNOWN: 1,
                "time_zone": "UTC",
                "hours": {},
                "holidays": {UNKNOWN: 1},
                "overrides": {"2026-12-24": {"hours": [], UNKNOWN: 1}},
                "seasons": [{UNKNOWN: 1}],
                "alternate": [{UNKNOWN: 1}],
            }
        )
    return keys_known_at(refused.value, place)


def agreement_keys(place: str) -> set[str]:
    unknown: dict[str, object] = {UNKNOWN: 1}
    commitment = {**unknown, "not_after": unknown}
    document = {
        **unknown,
        "commitments": [commitment],
        "availability": [{**unknown, "maintenance": unknown}],
        "levels": {"gold": unknown},
        "contracts": {"C-17": unknown},
        "averages": [unknown],
        "allowances": [unknown],
        "charges": [unknown],
        "derived": [unknown],
        "queue": unknown,
    }
    with pytest.raises(AgreementFault) as refused:
        parse_agreement(document, calendars={})
    return keys_known_at(refused.value, place)


def credit_keys(place: str) -> set[str]:
    """The keys of a credit at a place, whatever its rule."""
    rate: dict[str, object] = {UNKNOWN: 1}
    credit = {UNKNOWN: 1, "for": "uptime", "monthly": rate, "bands": [rate]}
    known: set[str] = set()
    for rule in RULES:
        with pytest.raises(AgreementFault) as refused:
            parse_agreement({"credits": [{**credit, "rule": rule}]}, calendars={})
        if any(fault.place == f"{place}{UNKNOWN}" for fault in refused.value.faults):
            known |= keys_known_at(refused.value, place)
    return known


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("### `[calendars.NAME]`", lambda: calendar_keys("")),
        ("### `holidays`", lambda: calendar_keys("holidays.")),
        ("### `seasons`", lambda: calendar_keys("seasons[0].")),
        ("### `alternate`", lambda: calendar_keys("alternate[0].")),
        ("### `overrides`", lambda: calendar_keys("overrides.2026-12-24.")),
        ("### Top of the file", lambda: agreement_keys("")),
        ("### `[[commitments]]`", lambda: agreement_keys("commitments[0].")),
        ("### `not_after`", lambda: agreement_keys("commitments[0].not_after.")),
        ("### `[[availability]]`", lambda: agreement_keys("availability[0].")),
        ("### `maintenance`", lambda: agreement_keys("availability[0].maintenance.")),
        ("### `[levels.NAME]`", lambda: agreement_keys("levels.gold.")),
        ("### `[contracts.NAME]`", lambda: agreement_keys("contracts.C-17.")),
        ("### `[[averages]]`", lambda: agreement_keys("averages[0].")),
        ("### `[[allowances]]`", lambda: agreement_keys("allowances[0].")),
        ("### `[[charges]]`", lambda: agreement_keys("charges[0].")),
        ("### `[[credits]]`", lambda: credit_keys("credits[0].")),
        ("#### `monthly` and `yearly`", lambda: credit_keys("credits[0].monthly.")),
        ("#### `bands`", lambda: credit_keys("credits[0].bands[0].")),
        ("### `[[derived]]`", lambda: agreement_keys("derived[0].")),
        ("### `[queue]`", lambda: agreement_keys("queue.")),
    ],
)
def test_the_reference_lists_exactly_the_keys_that_are_read(heading: str, known: Any) -> None:
    listed = first_words(FILES, heading)
    assert sorted(listed) == sorted(known())


def test_the_reference_lists_fields_statuses_and_event_types() -> None:
    prose = re.sub(r"```.*?```", "", FILES, flags=re.DOTALL)
    fields = re.search(r"The fields\s+are (.*?)\(who created", prose, re.DOTALL)
    statuses = re.search(r"The statuses are (.*?)\. The", prose, re.DOTALL)
    types = re.search(r"The event types are (.*?`)\.\n", prose, re.DOTALL)
    assert fields
    assert statuses
    assert types
    assert set(re.findall(r"`(.+?)`", fields[1])) == {*TICKET_FIELDS, "author"}
    assert set(re.findall(r"`(.+?)`", statuses[1])) == STATUSES
    assert set(re.findall(r"`(.+?)`", types[1])) == KNOWN_TYPES


def toml_examples() -> list[dict[str, Any]]:
    return [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", FILES, re.DOTALL)]


def documented_calendars() -> dict[str, Calendar]:
    found: dict[str, Calendar] = {}
    for document in toml_examples():
        if "calendars" in document:
            found |= parse_calendars(document, desk="acme")
    return found


def test_the_example_of_a_calendar_file_says_what_the_text_says() -> None:
    calendars = documented_calendars()
    assert set(calendars) == {"acme/desk", "acme/night"}
    closed = {day.date.isoformat(): day.name for day in calendars["acme/desk"].closed_days(2026)}
    assert closed["2026-05-05"] == "Liberation Day"
    assert closed["2026-12-31"] == "stocktaking"
    assert "2026-04-03" not in closed
    assert (closed["2026-05-15"], closed["2026-12-24"]) == ("bridge day", "special hours")


def test_every_example_of_an_agreement_is_read() -> None:
    """The parts of a file are read as further tables of the whole example."""
    examples = [document for document in toml_examples() if "calendars" not in document]
    whole, *parts = sorted(examples, key=lambda document: "desk" not in document)
    document = dict(whole)
    for part in parts:
        assert part.keys() <= {
            "commitments",
            "availability",
            "averages",
            "allowances",
            "charges",
            "credits",
            "derived",
        }
        document |= {key: [*document.get(key, []), *tables] for key, tables in part.items()}
    agreement = parse_agreement(document, calendars=documented_calendars())
    assert parts
    assert [c.id for c in agreement.commitments] == [table["id"] for table in document["commitments"]]


def test_the_page_lists_the_keys_of_a_mapping_for_replay() -> None:
    unknown = {"columns": {UNKNOWN: 1}, "file": {UNKNOWN: 1}, "first": {UNKNOWN: 1}, UNKNOWN: {}}
    with pytest.raises(FaultyMapping) as refused:
        parse_mapping(unknown)
    listed = {row[0].strip("`[]"): row[1] for row in table_after(IMPORTING, "## The mapping")}
    assert set(listed) == keys_known_at(refused.value, "")
    for name in ("columns", "file", "first"):
        assert set(re.findall(r"`(\w+)`", listed[name])) == keys_known_at(refused.value, f"{name}.")


def test_the_targets_of_the_reference_are_read() -> None:
    written = [word.strip('"') for word in first_words(FILES, "### `target`") if word.startswith('"')]
    plain = [word for word in written if ":" not in word]
    assert len(plain) == 7
    assert [str(Target.parse(word)) for word in plain] == plain


# -- what a page shows is computed -------------------------------------------------------------------------------


def shipped(desk: str) -> Version:
    calendars, agreement = (
        tomllib.loads((ROOT / folder / f"{desk}.toml").read_text(encoding="utf-8"))
        for folder in ("calendars", "agreements")
    )
    return Version(1, parse_agreement(agreement, calendars=parse_calendars(calendars, desk=desk)), 0)


def as_length(counted: Micros) -> str:
    hours, minutes = divmod(counted // (HOUR // 60), 60)
    return " ".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m")) if count)


def test_the_example_over_lunch_is_what_the_service_explains() -> None:
    mark = re.search(r"<!-- example: (\w+), created (\S+), asked (\S+) -->", CONCEPTS)
    assert mark
    desk, created, asked = mark.groups()
    zone = datetime.fromisoformat(created).tzinfo
    opened = Event("e1", "ticket.created", "1", micros(datetime.fromisoformat(created)))
    recorded = explain(
        evaluate([opened], [shipped(desk)], micros(datetime.fromisoformat(asked))), "ticket-response"
    )
    spans = [
        [
            *(f"{instant(at).astimezone(zone):%H:%M}" for at in (span.start, span.end)),
            span.kind.value,
            span_text(span),
            as_length(span.total),
        ]
        for span in recorded.spans
    ]
    assert table_after(CONCEPTS, mark[0]) == spans
    assert len(spans) == 4


DRAWN = """
desk = "acme"
[[commitments]]
id = "guarantee"
kind = "guarantee"
measure = "gtr"
applies_to = { category = ["hardware"] }
starts_on = ["ticket.created", "call.registered"]
stops_on = ["service.restored"]
pauses_while = ["pending"]
target = "90m"
calendar = "always"
warn_at = ["50%"]
warn_awaiting = "30m"
[[commitments]]
id = "objective"
kind = "objective"
starts_on = ["ticket.created"]
stops_on = ["service.restored"]
target = "30m"
calendar = "always"
[[commitments]]
id = "customer"
kind = "customer"
starts_on = ["ticket.created"]
stops_on = ["service.restored"]
target = "30m"
calendar = "always"
"""

HAPPENINGS: list[tuple[str, dict[str, object]]] = [
    ("call.registered", {}),
    ("service.restored", {}),
    ("status.changed", {"status": "pending"}),
    ("status.changed", {"status": "open"}),
    ("status.changed", {"status": "closed"}),
    ("ticket.updated", {"category": "software"}),
    ("ticket.updated", {"category": "hardware"}),
]

LEADS_TO = {
    TransitionKind.STARTED: State.RUNNING,
    TransitionKind.PAUSED: State.PAUSED,
    TransitionKind.RESUMED: State.RUNNING,
    TransitionKind.STOPPED: State.STOPPED,
    TransitionKind.CANCELLED: State.CANCELLED,
}
"""The state after a transition; a reopening's is seen, all others leave the state as it is."""

Arrow = tuple[str, str, str]
"""From, to, and the transition."""

Clocks = dict[str, tuple[State, list[Transition]]]


def clocks_after(events: list[Event], version: Version) -> Clocks:
    evaluation = evaluate(events, [version], events[-1].at)
    return {
        view.commitment: (view.state, sorted(of(view.commitment, evaluation.transitions), key=lambda m: m.at))
        for view in evaluation.clocks
    }


def of(commitment: str, transitions: tuple[Transition, ...]) -> Iterator[Transition]:
    return (each for each in transitions if each.commitment == commitment)


def arrows_between(before: Clocks, after: Clocks) -> Iterator[Arrow]:
    """The way that each clock went from one event to the next."""
    for commitment, (final, transitions) in after.items():
        state, known = before.get(commitment, ("[*]", []))
        new = transitions[len(known) :]
        for place, each in enumerate(new):
            if each.kind is TransitionKind.STARTED and state is State.CANCELLED:
                state = State.AWAITING  # brought back and started by one event
            to = LEADS_TO.get(each.kind, state)
            if each.kind is TransitionKind.REOPENED:
                to = final if place == len(new) - 1 else State.RUNNING
            yield str(state), str(to), str(each.kind)
            state = to
        if not new and state != final:
            yield str(state), str(final), ""


def walked(depth: int) -> set[Arrow]:
    """Every arrow that a clock takes in any history of so many events, one an hour, after the creation."""
    version = Version(1, parse_agreement(tomllib.loads(DRAWN), calendars={}), 0)
    found: set[Arrow] = set()

    def go_on(events: list[Event], before: Clocks) -> None:
        after = clocks_after(events, version)
        found.update(arrows_between(before, after))
        if len(events) <= depth:
            for kind, data in HAPPENINGS:
                happens = Event(f"e{len(events)}", kind, "1", events[-1].at + HOUR, data)
                go_on([*events, happens], after)

    go_on([Event("e0", "ticket.created", "1", 400_000 * HOUR, {"category": "hardware"})], {})
    return found


def drawn() -> set[Arrow]:
    """The arrows of the diagram, one for each word on them."""
    diagram = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", CONCEPTS, re.DOTALL)
    assert diagram
    lines = re.findall(r"(\S+) --> (\w+)(?:: (.+))?", diagram[1])
    return {(start, end, word) for start, end, words in lines for word in words.split(", ")}


def test_the_state_diagram_has_every_state_and_every_transition() -> None:
    assert {state for start, end, _ in drawn() for state in (start, end)} - {"[*]"} == set(State)
    assert {word for _, _, word in drawn()} - {""} == set(TransitionKind)


def test_the_state_diagram_has_exactly_the_arrows_that_clocks_take() -> None:
    recorded = {arrow for arrow in walked(4) if arrow[2]}
    assert recorded == {arrow for arrow in drawn() if arrow[2]}


def test_the_arrows_without_a_signal_are_taken() -> None:
    unrecorded = {arrow for arrow in drawn() if not arrow[2]}
    assert unrecorded
    assert unrecorded <= walked(3)
