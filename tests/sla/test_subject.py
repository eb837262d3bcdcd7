"""What two tickets must have in common to be about the same, and which domain one is about."""

import time

import pytest

from app.sla.agreement.agreement import QueueRules
from app.sla.queue.duplicate import (
    DEFAULT_QUEUE,
    GroupKey,
    domains_named,
    folded_subject,
    group_of,
    lacks_domain,
    queue_of,
    ticket_token,
)

RULES = QueueRules()
ASKING = QueueRules(domain_required=True)


@pytest.mark.parametrize(
    "title",
    [
        "Mail is down",
        "  MAIL   is\tdown ",
        "Re: Mail is down",
        "RE:Mail is down",
        "Re : mail is down",
        "Re[2]: mail is down",
        "RE (3) : mail is down",
        "Fwd: FW: Re: mail is down",
        "Antw: mail is down",
        "TR : mail is down",
        "R: mail is down",
        "AW: WG: mail is down",
        "Rif: mail is down",
        "Re: [[4711]] Mail is down",
        "[[4711]] Re: Mail is down",
        "Mail is down [[4711]]",
        "Mail [[ 4711 ]] is down",
        "Mail\u00a0is down",
        "Re\uff1a mail is down",
    ],
)
def test_one_subject_is_written_in_many_ways(title: str) -> None:
    assert folded_subject(title, RULES) == "mail is down"


@pytest.mark.parametrize(
    ("title", "folded"),
    [
        ("Rest: mail", "rest: mail"),
        ("mail re: down", "mail re: down"),
        ("Mail [4711]", "mail [4711]"),
        ("Re2: mail", "re2: mail"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
    ],
)
def test_what_belongs_to_the_subject_stays(title: str, folded: str) -> None:
    assert folded_subject(title, RULES) == folded


@pytest.mark.parametrize("title", [None, "", "  ", "Re:", "re: FWD: ", "[[4711]]", "Re: [[4711]]"])
def test_an_empty_subject_stays_empty(title: str | None) -> None:
    assert folded_subject(title, RULES) == ""
    assert group_of({"title": title, "customer": "jansen"}, RULES) is None


def test_a_desk_may_have_its_own_prefixes_and_token() -> None:
    rules = QueueRules(prefixes=("sv",), token=r"#(\d+)")
    assert folded_subject("SV: Re: Mail #12", rules) == "re: mail"
    assert ticket_token("SV: Mail #12", rules) == "12"
    assert folded_subject("Re: Mail", QueueRules(prefixes=())) == "re: mail"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("Re: Mail [[4711]]", "4711"),
        ("[[ WX-12 ]] Mail", "WX-12"),
        ("Mail [4711]", None),
        ("Mail [[]]", None),
        ("Mail [[ ]]", None),
        ("", None),
        (None, None),
    ],
)
def test_the_number_in_double_brackets_is_the_tickets(text: str | None, token: str | None) -> None:
    assert ticket_token(text, RULES) == token


def test_a_group_is_a_queue_a_customer_and_a_subject() -> None:
    fields = {"customer": " Jansen ", "title": "Re: Mail", "queue": "Support"}
    assert group_of(fields, RULES) == GroupKey("Support", "jansen", "mail")
    assert group_of({**fields, "customer": " "}, RULES) is None


def test_a_ticket_that_names_no_queue_is_in_the_default_one() -> None:
    assert queue_of({}) == queue_of({"queue": " "}) == queue_of({"queue": None}) == DEFAULT_QUEUE


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("It is jansen.nl.", {"jansen.nl"}),
        ("It is WWW.Jansen.NL, please", {"jansen.nl"}),
        ("https://shop.jansen.co.uk:8443/cart/index.php?x=1", {"shop.jansen.co.uk"}),
        ("both jansen.nl and blog.jansen.nl", {"jansen.nl", "blog.jansen.nl"}),
        ("müller.de and xn--mller-kva.de", {"müller.de", "xn--mller-kva.de"}),
        ("mail to jan@jansen.nl bounces", {"jansen.nl"}),
        ("shop.jansen.nl is down. jan@jansen.nl", {"shop.jansen.nl"}),
        ("first.last@jansen.nl", {"jansen.nl"}),
        ("index.php and .htaccess and wp-config.php", set[str]()),
        ("version 2.10 of the tool, e.g. this", set[str]()),
        ("It does not work.Could you look?", set[str]()),
        ("a..nl, -.-, ...", set[str]()),
        ("@", set[str]()),
        ("", set[str]()),
    ],
)
def test_domains_are_found_in_what_the_customer_writes(text: str, names: set[str]) -> None:
    assert domains_named({}, [text]) == names


def test_the_field_says_it_before_any_text() -> None:
    assert domains_named({"domain": "https://Shop.Jansen.nl/", "title": "other.nl"}, []) == {"shop.jansen.nl"}
    assert domains_named({"domain": "intranet"}, ["other.nl"]) == {"intranet"}


def test_a_ticket_lacks_its_domain_until_it_is_named_anywhere() -> None:
    assert lacks_domain({"title": "Mail"}, ["please help"], ASKING)
    assert not lacks_domain({"title": "Mail", "domain": "jansen.nl"}, [], ASKING)
    assert not lacks_domain({"title": "Mail of jansen.nl"}, [], ASKING)
    assert not lacks_domain({"title": "Mail"}, ["please help", "it is jansen.nl"], ASKING)


def test_a_desk_that_does_not_ask_misses_no_domain() -> None:
    assert not lacks_domain({}, [], RULES)


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "a." * 150_000, "a@" * 150_000, "re " * 100_000, "[[" * 150_000]
)
def test_a_text_made_to_stall_the_search_does_not(text: str) -> None:
    started = time.perf_counter()
    domains_named({}, [text])
    folded_subject(text, RULES)
    assert time.perf_counter() - started < 2
