"""The file of a desk's sources: what it says, what it leaves to the adapters, and what is wrong in it."""

import tomllib
from typing import Any

import pytest

from app.intake.adapters import ADAPTERS
from app.intake.mapping.rule import FACTS, Change, Marker, Rule, looked_at, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.signature import SCHEMES
from app.intake.source_file import SourceFault, parse_sources

AT = 1_772_442_000_000_000

WRITTEN = """
desk = "haisoft"

[sources.zendesk]

[sources.jira]
time_zone = "Europe/Paris"
scheme = "url-secret"
organisation_field = "customfield_10500"

[sources.jira.statuses]
"In Review" = "open"
"Pending" = "pending"
"Spam" = "drop"

[sources.jira.priorities]
P1 = "urgent"

[sources.jira.queues]
OPS = "servers"

[[sources.jira.rules]]
when = { tag = "intervention-started" }
then = "intervention.started"

[[sources.jira.rules]]
when = { field = "customfield_10060", value = "restored" }
then = ["service.restored", "progress.reported"]
"""


def parsed(text: str) -> dict[str, Source]:
    return parse_sources(tomllib.loads(text), "haisoft", ADAPTERS)


def places(text: str) -> list[str]:
    with pytest.raises(SourceFault) as caught:
        parsed(text)
    assert all(fault.wrong and fault.right for fault in caught.value.faults)
    return [fault.place for fault in caught.value.faults]


def test_a_file_says_what_a_desk_calls_otherwise() -> None:
    jira = parsed(WRITTEN)["jira"]
    assert (jira.desk, jira.system, jira.zone, jira.scheme) == (
        "haisoft",
        "jira",
        "Europe/Paris",
        "url-secret",
    )
    assert jira.options["organisation_field"] == "customfield_10500"
    assert jira.queues == {"ops": "servers"}
    assert jira.rules == (
        Rule(Marker.TAG, "intervention-started", ("intervention.started",)),
        Rule(Marker.FIELD, "customfield_10060", ("service.restored", "progress.reported"), "restored"),
    )


def test_what_the_file_does_not_say_is_left_to_the_adapter() -> None:
    sources = parsed(WRITTEN)
    words = Translator(sources["jira"])
    assert words.status("in review") == "open"
    assert words.status("PENDING") == "pending"
    assert words.status("Waiting for support") == "open"
    assert (words.priority("p1"), words.priority("Medium")) == ("urgent", "normal")
    assert sources["zendesk"] == ADAPTERS["zendesk"].plain_source("haisoft")
    assert words.warnings == ()


def test_an_unknown_word_is_named_once_and_means_nothing() -> None:
    words = Translator(parsed(WRITTEN)["jira"])
    assert [words.status("Foo"), words.status("Foo"), words.priority("P9")] == [None, None, None]
    assert words.warnings == ("status 'Foo' of jira is not mapped", "priority 'P9' of jira is not mapped")


def test_a_dropped_status_is_known_and_means_nothing() -> None:
    source = parsed(WRITTEN)["jira"]
    assert source.drops("spam")
    assert not source.drops("open")
    assert not source.drops("never heard of")
    assert not source.drops(None)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("[sources.zendsk]", "sources.zendsk"),
        ("[sources.'A B']\nread = {}", "sources.A B"),
        ("sources = 3", "sources"),
        ("[sources]\njira = 3", "sources.jira"),
        ("desk = 'other'\n[sources.jira]", "desk"),
        ("nonsense = 1\n[sources.jira]", "nonsense"),
        ("[sources.jira]\ntimezone = 'UTC'", "sources.jira.timezone"),
        ("[sources.jira]\ntime_zone = 'Europe/Nowhere'", "sources.jira.time_zone"),
        ("[sources.jira]\nscheme = 'glpi'", "sources.jira.scheme"),
        ("[sources.jira]\nsubject = 'number'", "sources.jira.subject"),
        ("[sources.jira.statuses]\nFoo = 'pendign'", "sources.jira.statuses.Foo"),
        ("[sources.jira.statuses]\nFoo = 3", "sources.jira.statuses.Foo"),
        ("[[sources.jira.rules]]\nwhen = {tag='x'}", "sources.jira.rules[0].then"),
        ("[[sources.jira.rules]]\nthen = 'service.restored'", "sources.jira.rules[0].when"),
        (
            "[[sources.jira.rules]]\nwhen = {tag='x', note='y'}\nthen = 'service.restored'",
            "sources.jira.rules[0].when",
        ),
        (
            "[[sources.jira.rules]]\nwhen = {tag='x', value='y'}\nthen = 'service.restored'",
            "sources.jira.rules[0].when.value",
        ),
        ("[[sources.jira.rules]]\nwhen = {tag='x'}\nthen = 'service.restord'", "sources.jira.rules[0].then"),
        ("[[sources.jira.rules]]\nwhen = {tag='x'}\nthen = 'ticket.merged'", "sources.jira.rules[0].then"),
        (
            "[[sources.jira.rules]]\nwhen = {tag='x'}\nthen = 'note.added'\nmore = 1",
            "sources.jira.rules[0].more",
        ),
    ],
)
def test_a_fault_is_named_by_its_key(wrong: str, place: str) -> None:
    assert place in places(wrong)


def test_all_faults_of_a_file_come_at_once() -> None:
    found = places("[sources.jira]\ntime_zone = 'Nowhere'\n[sources.zamad]\n[sources.zendesk]\nfoo = 1")
    assert found == ["sources.jira.time_zone", "sources.zamad", "sources.zendesk.foo"]


def test_one_key_is_faulty_once() -> None:
    assert places("[sources.jira]\nstatuses = 3") == ["sources.jira.statuses"]


def test_an_unknown_system_is_told_of_the_nearest_one() -> None:
    with pytest.raises(SourceFault, match="zendesk"):
        parsed("[sources.zendsk]")


def test_every_adapter_can_be_connected() -> None:
    for name, adapter in ADAPTERS.items():
        assert name == adapter.system
        assert adapter.label
        assert set(adapter.schemes) <= SCHEMES.keys()
        assert all(header == header.lower() for header in adapter.headers)
        assert all(word == word.casefold() for word in (*adapter.statuses, *adapter.priorities))


# -- rules ----------------------------------------------------------------------------------------------------------

RESTORED: Any = ("service.restored",)


@pytest.mark.parametrize(
    ("rule", "change", "fires"),
    [
        (Rule(Marker.TAG, "Restored", RESTORED), Change(tags=["restored"]), True),
        (Rule(Marker.TAG, "restored", RESTORED), Change(tags=["not-restored"]), False),
        (Rule(Marker.STATUS, "in progress", RESTORED), Change(status="In Progress"), True),
        (Rule(Marker.STATUS, "in progress", RESTORED), Change(), False),
        (Rule(Marker.NOTE, "#restored", RESTORED), Change(note="  #Restored at 14:00"), True),
        (Rule(Marker.NOTE, "#restored", RESTORED), Change(note="not #restored"), False),
        (Rule(Marker.FIELD, "step", RESTORED, "restored"), Change(fields={"step": "Restored"}), True),
        (
            Rule(Marker.FIELD, "step", RESTORED, "restored"),
            Change(fields={"step": {"value": "Restored"}}),
            True,
        ),
        (Rule(Marker.FIELD, "step", RESTORED, "restored"), Change(fields={"step": ["a", "restored"]}), True),
        (Rule(Marker.FIELD, "step", RESTORED, "true"), Change(fields={"step": True}), True),
        (Rule(Marker.FIELD, "step", RESTORED, "7"), Change(fields={"step": 7}), True),
        (Rule(Marker.FIELD, "step", RESTORED, "restored"), Change(fields={"other": "restored"}), False),
        (Rule(Marker.FIELD, "step", RESTORED), Change(fields={"step": "anything"}), True),
        (Rule(Marker.FIELD, "step", RESTORED), Change(fields={"step": ""}), False),
    ],
)
def test_a_rule_speaks_of_its_own_change(rule: Rule, change: Change, fires: bool) -> None:
    assert bool(rule_events("jira", "SUP-1", AT, "change:1", [rule], change)) is fires


def test_what_a_rule_sees_says_which_rule_saw_it() -> None:
    rule = Rule(Marker.FIELD, "step", ("service.restored", "progress.reported"), "restored")
    events = rule_events("jira", "SUP-1", AT, "change:1", [rule], Change(fields={"step": "restored"}))
    assert [(e.type, e.at, e.data) for e in events] == [
        ("service.restored", AT, {"reference": "field step = restored"}),
        ("progress.reported", AT, {"reference": "field step = restored"}),
    ]
    assert len({event.id for event in events}) == 2


def test_only_the_fields_that_rules_look_at_are_remembered() -> None:
    rules = (Rule(Marker.FIELD, "a.b", RESTORED), Rule(Marker.TAG, "x", RESTORED))
    assert looked_at(rules, {"a": {"b": "X"}, "c": 1}) == {"a.b": ["x"]}


def test_a_rule_never_takes_back_grants_or_ends_anything() -> None:
    assert FACTS.isdisjoint({"event.withdrawn", "exclusion.granted", "ticket.merged", "ticket.deleted"})
