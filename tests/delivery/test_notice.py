"""Messages to people: what they say, the same in text and HTML, and harmless whatever a ticket contains."""

import re
from html import unescape
from typing import Any

import pytest

from app.delivery.clean import clean
from app.delivery.markup import discord, google_chat, html, plain, slack
from app.delivery.notice import (
    MAX_SUBJECT,
    Notice,
    Reported,
    Severity,
    notice,
    trial_notice,
    web_address,
)
from app.delivery.wording.language import Language
from app.flow.outbound.subscribe import KINDS

BREACH: dict[str, Any] = {
    "id": "sig_1",
    "kind": "clock.breached",
    "desk": "haisoft",
    "ticket": "4711",
    "commitment": "ticket-response",
    "clock": {
        "label": "First response",
        "due_at": "2026-03-06T15:00:00Z",
        "calendar_local_due": "2026-03-06T16:00:00+01:00",
        "remaining_seconds": 0,
    },
}
TICKET: dict[str, str | None] = {
    "title": "Mail is down",
    "url": "https://desk.example.org/tickets/4711?view=all&tab=1",
    "customer": "Lycée Carnot",
    "assignee": "Ann Lee",
    "group": None,
}
HOSTILE = "<script>alert(1)</script>\r\nBcc: eve@example.org\u202e\u2066 <!channel> [x](http://evil) \ud83d \x1b[31m"


def of(*signals: dict[str, Any], language: str = "en", lines: int = 10, **given: Any) -> Notice:
    return notice([Reported(each, TICKET) for each in signals], language, lines=lines, **given)


def test_a_message_about_one_ticket_tells_the_matter_in_its_subject_and_the_rest_in_one_line() -> None:
    made = of(BREACH)
    assert made.subject == "[haisoft] 4711 First response: breached - Mail is down"
    assert plain(made) == (
        "4711 · Mail is down · First response: breached, was due Fri, 6 Mar 2026, 16:00 · customer: Lycée Carnot · "
        "assignee: Ann Lee · https://desk.example.org/tickets/4711?view=all&tab=1"
    )
    assert (made.severity, made.key) == (Severity.BREACH, "sig_1")


def test_the_html_part_says_what_the_text_says() -> None:
    made = of(BREACH, BREACH | {"ticket": "4712 & more", "kind": "clock.warned"})
    body = html(made).partition("<body>")[2]
    said = [unescape(re.sub(r"<[^>]*>", "", line)) for line in body.splitlines() if line.startswith("<li>")]
    assert said == plain(made).splitlines()
    assert 'href="https://desk.example.org/tickets/4711?view=all&amp;tab=1"' in body


def test_two_signals_of_one_ticket_share_its_line() -> None:
    made = of(BREACH, BREACH | {"kind": "clock.stopped"})
    assert len(made.lines) == 1
    assert "First response: breached" in plain(made)
    assert "First response: completed" in plain(made)
    assert made.subject == "[haisoft] 1 breach, 1 commitment completed: 4711"


@pytest.mark.parametrize("language", Language)
def test_every_kind_is_said_in_every_language(language: Language) -> None:
    for kind in KINDS:
        made = of(BREACH | {"kind": kind}, language=language)
        assert kind not in made.subject
        assert "4711" in plain(made)


def test_many_tickets_are_counted_and_the_most_serious_come_first_in_the_subject() -> None:
    signals = [BREACH | {"ticket": f"T{n}", "kind": "clock.warned"} for n in range(100)]
    made = of(*signals, BREACH, language="fr")
    assert made.subject == "[haisoft] 1 dépassement, 100 échéances proches : T0, T1, T2 et 98 autres"
    assert (len(made.lines), plain(made).splitlines()[-1]) == (11, "et 91 autres")


def test_labels_are_in_the_language_of_the_subscription() -> None:
    labels = {"en": "First response", "fr": "Première réponse"}
    made = notice([Reported(BREACH, TICKET, labels)], "fr", lines=10)
    assert made.subject == "[haisoft] 4711 Première réponse : engagement non respecté - Mail is down"
    assert "First response" in notice([Reported(BREACH, TICKET, labels)], "vi", lines=10).subject


def test_a_warning_says_how_much_time_is_left_and_a_moved_due_date_both_dates() -> None:
    warned = BREACH | {"kind": "clock.warned", "clock": BREACH["clock"] | {"remaining_seconds": 1_800}}
    assert "due Fri, 6 Mar 2026, 16:00, 30 mins left" in plain(of(warned))
    moved = BREACH | {"kind": "clock.due_changed", "old_due_at": "2026-03-06T14:30:00Z"}
    assert "due Fri, 6 Mar 2026, 16:00, before Fri, 6 Mar 2026, 15:30" in plain(of(moved))


def test_a_retraction_gives_its_reason_in_the_language_of_the_message() -> None:
    cause = {"code": "version_applied", "ref": "3", "params": {}}
    retracted = BREACH | {"kind": "clock.breach_retracted", "cause_detail": cause}
    assert "reden: versie 3 van de overeenkomst" in plain(of(retracted, language="nl"))
    assert of(retracted).severity is Severity.GOOD


def test_instants_have_their_offset_for_readers_of_all_desks_and_without_a_local_time() -> None:
    assert "16:00 (UTC+01:00)" in plain(of(BREACH, every_desk=True))
    bare = BREACH | {"clock": {"label": "x", "due_at": "2026-03-06T15:00:00Z"}}
    assert "15:00 (UTC)" in plain(of(bare))


def test_a_ticket_without_an_assignee_is_said_to_be_unassigned_unless_the_field_is_omitted() -> None:
    unassigned = TICKET | {"assignee": None}
    assert "not assigned" in plain(notice([Reported(BREACH, unassigned)], "en", lines=1))
    omitted = {name: value for name, value in unassigned.items() if name != "assignee"}
    assert "not assigned" not in plain(notice([Reported(BREACH, omitted)], "en", lines=1))


def test_a_signal_without_a_clock_is_described_by_its_queue_or_its_subscription() -> None:
    moved = {"kind": "queue.moved", "desk": "d", "ticket": "1", "queue": "tickets", "clock": None}
    off = {
        "kind": "subscription.disabled",
        "desk": "d",
        "ticket": None,
        "subscription": "sub_1",
        "reason": "410",
    }
    assert plain(notice([Reported(moved)], "en", lines=9)) == "1 · queue tickets: moved in the queue"
    assert plain(notice([Reported(off)], "en", lines=9)) == (
        "subscription sub_1: deliveries disabled, reason: 410"
    )


def test_a_test_message_names_the_subscription_the_desk_and_who_sent_it() -> None:
    made = trial_notice(name="sub_1 (night shift)", desk="haisoft", sender="key_7", language="en")
    assert made.subject == "[haisoft] Test message: sub_1 (night shift)"
    assert "sub_1 (night shift) of desk haisoft, sent by key_7" in plain(made)
    assert "for all desks" in plain(trial_notice(name="s", desk=None, sender="k", language="en"))


def test_nothing_from_outside_forges_a_header_a_tag_a_mention_or_a_direction() -> None:
    signal = BREACH | {"ticket": HOSTILE, "desk": HOSTILE, "clock": BREACH["clock"] | {"label": HOSTILE}}
    made = notice([Reported(signal, dict.fromkeys(TICKET, HOSTILE))], "en", lines=10)
    assert len(made.subject) <= MAX_SUBJECT
    for text in (made.subject, plain(made)):
        assert text.isprintable()
        assert not set(text) & set("\u202e\u2066\ud83d\r\x1b")
    assert "<script" not in html(made)
    assert "<!channel>" not in slack(made)
    assert "<script" not in slack(made)
    assert "<" not in google_chat(made)
    assert re.search(r"(?<!\\)[<\[@]", discord(made)) is None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https://a b/",
        'https://a/"onmouseover=x',
        "https://a/<script>",
        "https://a/\u202e",
        "https://[::1",
        "https://a|b/",
        "https://a/" + "x" * 2_000,
        None,
    ],
)
def test_an_address_that_is_not_plainly_one_of_the_web_is_left_out(url: str | None) -> None:
    assert web_address(url) is None


def test_a_text_is_cut_to_one_bounded_line_whatever_its_length() -> None:
    assert clean("a\n\tb\u2028c\x00d", 100) == "a b c d"
    assert clean("x" * 1_000_000, 5) == "xxxx…"
    assert clean("\u202e" * 1_000_000 + "x", 5) == "…"
    assert clean("Đã xử lý 👍🏽", 100) == "Đã xử lý 👍🏽"
