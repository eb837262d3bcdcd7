"""`slatimer user`: people, the links that sign them in, and their roles."""

import re

import pytest

from tests.cli.conftest import Terminal

ANN = ("user", "add", "Ann", "--role", "lead", "--desk", "haisoft,hvn")


def test_a_person_is_created_and_their_link_is_alone_on_standard_output(desks: Terminal) -> None:
    out = desks.done(*ANN, "--display-name", "Ann Lee")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/sign-in/link#sll_[\w-]{43}\n", out)
    assert desks.done("user", "list") == "ann  haisoft:lead hvn:lead  -\n"


def test_a_link_begins_with_the_public_url(desks: Terminal) -> None:
    desks.done(*ANN)
    desks.environ["SLATIMER_PUBLIC_URL"] = "https://sla.example/desk/"
    out = desks.done("user", "link", "ann", "--without-second-factor")
    assert out.startswith("https://sla.example/desk/sign-in/link#sll_")


def test_a_link_leads_to_the_address_that_is_given_and_says_where_it_leads_without_one(
    desks: Terminal,
) -> None:
    given = desks(*ANN, "--url", "https://help.example")
    assert given.out.startswith("https://help.example/sign-in/link#sll_")
    assert "SLATIMER_PUBLIC_URL" not in given.err
    desks.environ["SLATIMER_HOST"] = "0.0.0.0"
    without = desks("user", "link", "ann")
    assert without.out.startswith("http://localhost:8000/sign-in/link#sll_")
    assert "It leads to http://localhost:8000. Opened from elsewhere? Give --url" in without.err
    assert desks("user", "link", "ann", "--url", "help.example").code == 2


def test_roles_are_changed_desk_by_desk(desks: Terminal) -> None:
    desks.done(*ANN)
    desks.done("user", "roles", "ann", "--role", "viewer", "--desk", "hvn")
    assert desks.done("user", "list") == "ann  haisoft:lead hvn:viewer  -\n"
    desks.done("user", "roles", "ann", "--role", "viewer", "--desk", "hvn", "--remove")
    assert desks.done("user", "list") == "ann  haisoft:lead  -\n"


def test_a_person_is_disabled_and_enabled_again(desks: Terminal) -> None:
    desks.done(*ANN)
    desks.done("user", "disable", "ann")
    assert desks.done("user", "list").endswith("disabled\n")
    assert desks("user", "link", "ann").code == 2
    desks.done("user", "disable", "ann", "--undo")
    assert "sll_" in desks.done("user", "link", "ann")


@pytest.mark.parametrize(
    "given",
    [
        ("add", "a b", "--role", "lead", "--desk", "haisoft"),
        ("add", "ann", "--role", "push", "--desk", "haisoft"),
        ("add", "ann", "--role", "lead", "--desk", ","),
        ("add", "ann", "--role", "lead", "--desk", "haisoft", "--subject", "1"),
        ("link", "unknown"),
        ("roles", "unknown", "--role", "lead", "--desk", "haisoft"),
        ("disable", "unknown"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(desks: Terminal, given: tuple[str, ...]) -> None:
    refused = desks("user", *given)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err
    assert desks.done("user", "list") == ""
