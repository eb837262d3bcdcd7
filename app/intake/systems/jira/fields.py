"""Fields of Jira: persons, choices, addresses, and whether customers see a comment.

Cloud and Server write the same thing in several ways; each is read in one function here.
"""

from collections.abc import Mapping

from app.intake.mapping.value import dig, identifier, items, table, text


def chosen(value: object) -> str | None:
    """The text of a choice, sent as a text or as an object."""
    return text(value) or text(dig(value, "value")) or text(dig(value, "name"))


def organisation(value: object) -> str | None:
    """The first organisation of a list of them, or the only one."""
    first = items(value)[:1] or [value]
    return text(dig(first[0], "name"))


def shown_name(person: object) -> str | None:
    """A person as others see them."""
    return text(dig(person, "displayName")) or text(dig(person, "name")) or account(person)


def mail_or_name(person: object) -> str | None:
    """A person as a desk knows its customers: by mail where the site shows it."""
    return text(dig(person, "emailAddress")) or shown_name(person)


def account(person: object) -> str | None:
    """A person's account, which neither marriage nor mail changes."""
    found = (identifier(dig(person, key)) for key in ("accountId", "key", "name"))
    return next((one for one in found if one), None)


def address(issue: Mapping[str, object]) -> str | None:
    """Where a person reads the issue: the site of its own address, and its key."""
    site, found, _ = (text(issue.get("self")) or "").partition("/rest/")
    key = text(issue.get("key"))
    return f"{site}/browse/{key}" if found and key else None


def issue_of(address: str | None) -> str | None:
    """The issue's number in a comment's address: ".../issue/10013/comment/10082"."""
    _, found, rest = (address or "").partition("/issue/")
    return identifier(rest.partition("/")[0]) if found else None


def is_internal(comment: Mapping[str, object]) -> bool:
    """Whether customers do not see it: by Cloud itself, by a property of the Server, or by a role that may see it."""
    marked = (
        dig(one, "value.internal") is True
        for one in items(comment.get("properties"))
        if dig(one, "key") == "sd.public.comment"
    )
    return comment.get("jsdPublic") is False or bool(table(comment.get("visibility"))) or any(marked)
