"""A desk's agreement file: what is read from it, and how a bad one is refused."""

import copy
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.agreement.agreement import Agreement, CycleRule, OnReopen, Regime, Withheld
from app.sla.agreement.file import AgreementFault, parse_agreement
from app.sla.calendar import Calendar, parse_calendars
from app.sla.document.faults import Fault, line_of
from app.sla.reason import Reason, ReasonCode
from app.sla.span import HOUR

ROOT = Path(__file__).parents[2]
DESKS = ("clamehost", "haisoft", "hvn", "phpnet", "webxtra")
DESK_HOURS = Calendar.parse(
    {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:30"]}}, name="acme/desk"
)
CALENDARS = {"acme/desk": DESK_HOURS, "acme/phone": DESK_HOURS}

GOOD = """
desk = "acme"
[levels.gold]
gti = "4h"
[[commitments]]
id = "gti"
kind = "guarantee"
measure = "gti"
applies_to = { kind = ["intervention", ""] }
starts_on = ["ticket.created", ["call.registered", "anomaly.detected"]]
stops_on = ["intervention.started", "status:solved"]
pauses_while = ["pending"]
target = "level:gti"
calendar = "acme/desk"
warn_at = ["75%", "30m before"]
[[commitments]]
id = "response"
kind = "objective"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "3 working days"
calendar = "acme/desk"
"""


def read(text: str) -> Agreement:
    return parse_agreement(tomllib.loads(text), calendars=CALENDARS)


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(AgreementFault) as refused:
        read(text)
    return refused.value.faults


def calendars_of(desk: str) -> dict[str, Calendar]:
    path = ROOT / "calendars" / f"{desk}.toml"
    return parse_calendars(tomllib.loads(path.read_text()), desk=desk) if path.exists() else {}


def shipped(desk: str) -> Agreement:
    document = tomllib.loads((ROOT / "agreements" / f"{desk}.toml").read_text())
    return parse_agreement(document, calendars=calendars_of(desk))


# A change to GOOD (replace this by that), the place of the fault, words of what is wrong, words of what would be right.
BAD_FILES = [
    pytest.param('desk = "acme"', "", "desk", "missing", 'desk = "haisoft"', id="no desk"),
    pytest.param('"acme"', '"ac me"', "desk", "space", 'desk = "haisoft"', id="desk with a space"),
    pytest.param(
        "[levels", 'nam = "x"\n[levels', "nam", "no such key", '"name"', id="unknown key at the top"
    ),
    pytest.param("[levels", "name = 3\n[levels", "name", "not a text", "name = ", id="a number for a text"),
    pytest.param(
        "[levels", 'time_zone = "Mars/Base"\n[levels', "time_zone", "not a zone", "Europe/Paris", id="zone"
    ),
    pytest.param(
        "[levels", "levels = 4\n[level", "levels", "not a table", "[levels.", id="levels is no table"
    ),
    pytest.param(
        "gold]", 'gold]\ngtx = "soon"', "levels.gold.gtx", "no such key", '"gti"', id="unknown key of a level"
    ),
    pytest.param(
        'gti = "4h"', 'gti = "4 h 5"', "levels.gold.gti", "not a target", '"2h"', id="target of a level"
    ),
    pytest.param(
        'gti = "4h"',
        'gti = "3 working days"\ncalendar = "always"',
        "levels.gold.gti",
        "working days",
        "hours",
        id="working days under a level's always",
    ),
    pytest.param(
        "gold]",
        'gold]\ncalendar = "acme/dsk"',
        "levels.gold.calendar",
        "no calendar",
        "acme/desk",
        id="hours",
    ),
    pytest.param(
        "gold]", "gold]\nallowance = -1", "levels.gold.allowance", "whole number", "allowance", id="allowance"
    ),
    pytest.param(
        "[levels",
        'default_level = "gild"\n[levels',
        "default_level",
        "no level",
        '"gold"',
        id="default level",
    ),
    pytest.param(
        '"level:gti"', '"level:gtr"', "commitments.gti.target", 'sets "gtr"', "[levels", id="level sets none"
    ),
    pytest.param(
        '"level:gti"',
        '"level:"',
        "commitments.gti.target",
        "names nothing",
        "level:gti",
        id="level of nothing",
    ),
    pytest.param(
        '"3 working days"', '"soon"', "commitments.response.target", "not a target", '"2h"', id="no target"
    ),
    pytest.param(
        'target = "3 working days"', "", "commitments.response.target", "missing", '"2h"', id="target missing"
    ),
    pytest.param(
        '"3 working days"\ncalendar = "acme/desk"',
        '"3 working days"\ncalendar = "always"',
        "commitments.response.target",
        "working days",
        "Name a calendar",
        id="working days under always",
    ),
    pytest.param(
        '"3 working days"',
        '{ by = "priorty", else = "8h" }',
        "commitments.response.target.by",
        "priorty",
        '"priority"',
        id="target by an unknown field",
    ),
    pytest.param(
        '"3 working days"',
        '{ by = "priority", urgent = "eight" }',
        "commitments.response.target.urgent",
        "not a target",
        '"2h"',
        id="bad target of a value",
    ),
    pytest.param(
        'target = "3 working days"',
        'target = "2h"\nroll = "next day"',
        "commitments.response.roll",
        "not known",
        "next working day",
        id="unknown roll",
    ),
    pytest.param('id = "response"', "", "commitments[1].id", "missing", 'id = "response"', id="no id"),
    pytest.param('id = "response"', 'id = "gti"', "commitments[1].id", "taken", "of its own", id="id taken"),
    pytest.param(
        '"objective"', '"objectiv"', "commitments.response.kind", "not known", '"objective"', id="kind"
    ),
    pytest.param(
        'kind = "objective"', "", "commitments.response.kind", "missing", "guarantee", id="kind missing"
    ),
    pytest.param(
        'starts_on = ["ticket.created"]',
        "",
        "commitments.response.starts_on",
        "nothing starts",
        "Write",
        id="no start",
    ),
    pytest.param(
        '["ticket.created"]',
        '["ticket.create"]',
        "commitments.response.starts_on[0]",
        "no event type",
        'Did you mean "ticket.created"?',
        id="unknown start",
    ),
    pytest.param(
        '["ticket.created"]',
        '"ticket.created"',
        "commitments.response.starts_on",
        "not a list",
        '["ticket.created"]',
        id="a text for a list",
    ),
    pytest.param(
        'stops_on = ["agent.replied"]',
        "",
        "commitments.response.stops_on",
        "nothing stops",
        "Write",
        id="no stop",
    ),
    pytest.param(
        '"status:solved"',
        '"solved"',
        "commitments.gti.stops_on[1]",
        "no event type or status",
        '"status:solved"',
        id="status",
    ),
    pytest.param(
        '["pending"]', '["waiting"]', "commitments.gti.pauses_while[0]", "no status", '"pending"', id="pause"
    ),
    pytest.param(
        "{ kind =", "{ kinds =", "commitments.gti.applies_to.kinds", "no such field", '"kind"', id="field"
    ),
    pytest.param(
        '["intervention", ""]',
        "[]",
        "commitments.gti.applies_to.kind",
        "not a list of values",
        "absent",
        id="no values",
    ),
    pytest.param(
        '"75%"', '"175%"', "commitments.gti.warn_at[0]", "not a warning", '"75%"', id="warning past the end"
    ),
    pytest.param(
        '["75%", "30m before"]',
        '"75%"',
        "commitments.gti.warn_at",
        "not a list",
        "warn_at = [",
        id="no list of warnings",
    ),
    pytest.param(
        '[[commitments]]\nid = "r',
        'warn_awaiting = "7 days"\n[[commitments]]\nid = "r',
        "commitments.gti.warn_awaiting",
        "not a length of time",
        "24h",
        id="days of waiting",
    ),
    pytest.param(
        'measure = "response"',
        'measure = "response"\non_reopen = "restart"',
        "commitments.response.on_reopen",
        "a first response never restarts",
        "next_reply",
        id="restart of a first response",
    ),
    pytest.param(
        'measure = "response"',
        'measure = "response"\non_change = "keep"',
        "commitments.response.on_change",
        "not known",
        '"carry"',
        id="unknown change rule",
    ),
    pytest.param(
        'measure = "response"',
        'measure = "response"\ncycle = "twice"',
        "commitments.response.cycle",
        "not known",
        '"once"',
        id="cycle",
    ),
    pytest.param(
        'measure = "gti"',
        'measure = "gti"\nnot_after = { commitment = "response", reason = "late" }',
        "commitments.gti.not_after.commitment",
        "no earlier commitment",
        "leave it out",
        id="not after a later one",
    ),
    pytest.param(
        'measure = "response"',
        'measure = "response"\nnot_after = { commitment = "gti" }',
        "commitments.response.not_after.reason",
        "missing",
        "reason = ",
        id="not after without words",
    ),
    pytest.param(
        'measure = "response"',
        'measure = "response"\ncalendar_of = "gtx"',
        "commitments.response.calendar_of",
        "gtx",
        '"gti"',
        id="calendar of",
    ),
    pytest.param(
        "[levels",
        '[queue]\nduplicate = "bottom"\n[levels',
        "queue.duplicate",
        "not known",
        '"moves"',
        id="effect",
    ),
    pytest.param(
        "[levels",
        "[queue]\nfrist = []\n[levels",
        "queue.frist",
        "no such key",
        '"first"',
        id="unknown key of the queue",
    ),
    pytest.param(
        "[levels",
        "[queue]\ntoken = 'T-\\d+'\n[levels",
        "queue.token",
        "no group",
        "first group",
        id="token without a group",
    ),
    pytest.param(
        "[levels",
        "[queue]\ntoken = '(T'\n[levels",
        "queue.token",
        "not a pattern",
        "first group",
        id="broken token",
    ),
    pytest.param(
        "[levels",
        "[queue]\nforecast_days = 0\n[levels",
        "queue.forecast_days",
        "1 or more",
        "Write",
        id="no forecast days",
    ),
    pytest.param(
        "[levels",
        '[queue]\nfirst = [{ plann = ["x"] }]\n[levels',
        "queue.first[0].plann",
        "no such field",
        '"plan"',
        id="rank",
    ),
    pytest.param(
        "[levels",
        '[[derived]]\nfact = "request.red"\nshown_by = ["assigned"]\n[levels',
        "derived[0].fact",
        "no event type",
        '"request.read"',
        id="unknown derived fact",
    ),
    pytest.param(
        "[levels",
        '[[derived]]\nfact = "request.read"\nshown_by = []\n[levels',
        "derived[0].shown_by",
        "nothing shows",
        "agent.replied",
        id="derived from nothing",
    ),
    pytest.param(
        "[levels",
        "customer_reply_ends_pending = 1\n[levels",
        "customer_reply_ends_pending",
        "neither",
        "true",
        id="flag",
    ),
]


@pytest.mark.parametrize(("this", "that", "place", "wrong", "right"), BAD_FILES)
def test_a_bad_file_is_refused_with_the_place_and_the_remedy(
    this: str, that: str, place: str, wrong: str, right: str
) -> None:
    at = (
        GOOD.rindex(this)
        if place.startswith(("commitments.response", "commitments[1]"))
        else GOOD.index(this)
    )
    found = faults_of(GOOD[:at] + that + GOOD[at + len(this) :])
    at_place = [fault for fault in found if fault.place == place]
    assert at_place, f"faults at {[fault.place for fault in found]}"
    assert any(wrong in fault.wrong and right in fault.right for fault in at_place), at_place


def test_the_file_that_the_bad_ones_are_made_from_is_good() -> None:
    assert [c.id for c in read(GOOD).commitments] == ["gti", "response"]


def test_all_faults_of_a_file_come_at_once() -> None:
    text = (
        GOOD.replace('"acme/desk"', '"acme/dask"')
        .replace('"objective"', '"promise"')
        .replace("desk =", "desc =", 1)
    )
    assert [fault.place for fault in faults_of(text)] == [
        "desk",
        "commitments.gti.calendar",
        "commitments.response.calendar",
        "commitments.response.kind",
        "desc",
    ]


def test_a_file_without_commitments_is_refused() -> None:
    assert [fault.place for fault in faults_of('desk = "acme"')] == ["commitments"]


def test_a_fault_is_found_in_the_text_by_its_place() -> None:
    lines = ["", *GOOD.splitlines()]
    for place, written in (
        ("desk", 'desk = "acme"'),
        ("levels.gold.gti", 'gti = "4h"'),
        ("commitments.gti.applies_to.kind", 'applies_to = { kind = ["intervention", ""] }'),
        ("commitments[1].target", 'target = "3 working days"'),
        ("commitments.gti.missing", "[[commitments]]"),
    ):
        assert lines[line_of(GOOD, place) or 0] == written
    assert line_of(GOOD, "queue.first") is None


# -- what is read ------------------------------------------------------------------------------------------------------


def test_start_facts_are_all_needed_and_an_inner_list_is_any_of() -> None:
    gti = read(GOOD).commitment("gti")
    assert gti.starts_on == (
        frozenset({"ticket.created"}),
        frozenset({"call.registered", "anomaly.detected"}),
    )
    assert (gti.stops_on, gti.stop_statuses) == ({"intervention.started"}, {"solved"})


def test_an_empty_text_in_a_condition_means_absent() -> None:
    agreement = read(GOOD)
    gti = agreement.commitment("gti")
    assert agreement.applies(gti, {}) is True
    assert agreement.applies(gti, {"kind": "INTERVENTION"}) is True
    assert agreement.applies(gti, {"kind": "question"}) is False


@pytest.mark.parametrize(
    ("measure", "rule"),
    [
        ("gtr", OnReopen.RESUME),
        ("gti", OnReopen.IGNORE),
        ("response", OnReopen.IGNORE),
        ("claim", OnReopen.IGNORE),
    ],
)
def test_only_a_restoration_resumes_on_a_reopen_unless_the_file_says_otherwise(
    measure: str, rule: OnReopen
) -> None:
    assert read(GOOD.replace('"gti"\na', f'"{measure}"\na')).commitment("gti").on_reopen is rule


def test_an_exception_with_a_reason_withholds_where_the_rest_of_the_condition_holds() -> None:
    text = GOOD.replace(
        'starts_on = ["ticket.created", [',
        'except = { category = ["out-of-scope"] }\nexcept_reason = "out of scope"\nstarts_on = ["ticket.created", [',
    ).replace('{ kind = ["intervention", ""] }', '{ kind = ["intervention"], category = ["software"] }')
    agreement = read(text)
    gti = agreement.commitment("gti")
    fields = {"kind": "intervention", "category": "out-of-scope"}
    assert agreement.applies(gti, fields) == Withheld(
        Reason(ReasonCode.AGREEMENT_TEXT, params={"text": "out of scope"})
    )
    assert agreement.applies(gti, {**fields, "kind": "question"}) is False
    assert agreement.applies(gti, {**fields, "category": "software"}) is True


def test_a_target_by_a_field_falls_back_to_else() -> None:
    agreement = read(GOOD.replace('"3 working days"', '{ by = "priority", Urgent = "1h", else = "8h" }'))
    response = agreement.commitment("response")
    lengths: list[str] = []
    for priority in ("urgent", "low", None):
        regime = agreement.regime(response, {"priority": priority})
        assert isinstance(regime, Regime)
        lengths.append(str(regime.target))
    assert lengths == ["1h", "8h", "8h"]


def test_a_contract_overrides_a_level_and_its_calendar() -> None:
    agreement = read(
        GOOD.replace("[levels.gold]", '[contracts.C-17]\ngti = "1h"\ncalendar = "always"\n[levels.gold]')
    )
    gti = agreement.commitment("gti")
    regime = agreement.regime(gti, {"level": "Gold", "contract": "c-17"})
    assert isinstance(regime, Regime)
    assert (str(regime.target), regime.calendar.is_always) == ("1h", True)
    assert agreement.regime(gti, {"contract": "other"}) == Withheld(Reason(ReasonCode.NO_LEVEL))


def test_always_counts_days_in_the_zone_of_the_file() -> None:
    text = GOOD.replace('"3 working days"\ncalendar = "acme/desk"', '"7 days"\ncalendar = "always"')
    agreement = read('time_zone = "Asia/Tokyo"\n' + text)
    calendar = agreement.commitment("response").calendar
    assert (calendar.is_always, calendar.time_zone) == (True, "Asia/Tokyo")


def test_a_wait_for_a_start_fact_is_a_length_of_real_time() -> None:
    gti = read(GOOD.replace("pauses_while", 'warn_awaiting = "1h"\npauses_while')).commitment("gti")
    assert gti.warn_awaiting == HOUR


def test_equal_documents_give_equal_agreements() -> None:
    assert read(GOOD) == read(GOOD + "# a comment\n")


# -- the shipped files -------------------------------------------------------------------------------------------------

CLOCKS = {
    "clamehost": {"restoration": "2h", "claim-filing": "7 days", "claim-answer": "48h"},
    "haisoft": {"ticket-response": "2h", "monitoring-intervention": "1h", "hardware-replacement": "4h"},
    "hvn": {"claim-filing": "3 months", "claim-answer": "15 working days"},
    "phpnet": {"gtr": "level:gtr", "gti": "level:gti", "progress-update": "1h"},
    "webxtra": {
        "response": "3 working days",
        "administrative-response": "7 days",
        "managed-response": "contract:managed-response",
    },
}


@pytest.mark.parametrize("desk", DESKS)
def test_a_shipped_file_promises_what_its_provider_does(desk: str) -> None:
    agreement = shipped(desk)
    assert agreement.desk == desk
    assert {c.id: c.target.written for c in agreement.commitments} == CLOCKS[desk]


@pytest.mark.parametrize("desk", DESKS)
def test_a_shipped_file_names_its_source_and_every_commitment_a_sentence_of_it(desk: str) -> None:
    text = (ROOT / "agreements" / f"{desk}.toml").read_text()
    assert shipped(desk).source
    for key in ("commitments", "credits"):
        for table in text.split(f"[[{key}]]\n")[1:]:
            assert table.startswith("# "), table[:80]
    assert "Not judged yet" not in text


UPTIMES = {
    "clamehost": {"uptime": ">= 99.9%"},
    "haisoft": {"network-uptime": "> 99.95%"},
    "hvn": {"uptime": ">= 99.9%"},
}


@pytest.mark.parametrize("desk", DESKS)
def test_a_shipped_file_promises_the_uptime_of_its_provider_beside_a_sentence_of_it(desk: str) -> None:
    assert {a.id: a.target.written for a in shipped(desk).availability} == UPTIMES.get(desk, {})
    text = (ROOT / "agreements" / f"{desk}.toml").read_text()
    assert all(table.startswith("# ") for table in text.split("[[availability]]\n")[1:])


@pytest.mark.parametrize(("written", "goal"), [("95%", "95"), ("99.95 %", "99.95"), ("100%", "100")])
def test_the_goal_of_reports_is_a_share(written: str, goal: str) -> None:
    assert str(read(f'{GOOD}[reports]\ngoal = "{written}"').goal) == goal


@pytest.mark.parametrize("written", ["95", "0%", "101%", "much"])
def test_another_goal_is_refused_with_its_place(written: str) -> None:
    (fault,) = faults_of(f'{GOOD}[reports]\ngoal = "{written}"')
    assert (fault.place, fault.right) == ("reports.goal", 'Write goal = "95%".')


def test_claims_and_progress_are_cycles() -> None:
    cycles = {
        (desk, c.id): c.cycle
        for desk in DESKS
        for c in shipped(desk).commitments
        if c.cycle is not CycleRule.ONCE
    }
    assert cycles == {
        ("clamehost", "claim-answer"): CycleRule.CLAIM,
        ("haisoft", "monitoring-intervention"): CycleRule.CLAIM,
        ("hvn", "claim-answer"): CycleRule.CLAIM,
        ("phpnet", "progress-update"): CycleRule.PROGRESS,
    }


def shuffled(value: object, draw: Any) -> object:
    """The same document with the keys of every table in another order."""
    if isinstance(value, Mapping):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("desk", DESKS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_the_order_of_keys_changes_nothing(desk: str, data: st.DataObject) -> None:
    document = tomllib.loads((ROOT / "agreements" / f"{desk}.toml").read_text())
    calendars = calendars_of(desk)
    reordered = shuffled(copy.deepcopy(document), data.draw)
    assert isinstance(reordered, dict)
    assert parse_agreement(reordered, calendars=calendars) == parse_agreement(document, calendars=calendars)


def test_a_level_may_hold_figures_that_no_commitment_asks_for() -> None:
    agreement = read(GOOD.replace("gold]", 'gold]\nspare = "8h"'))
    assert str(agreement.levels["gold"].targets["spare"]) == "8h"
