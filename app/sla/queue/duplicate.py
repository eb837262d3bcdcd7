"""Duplicate tickets: the group of tickets that ask about the same.

Duplicates have the same queue, the same customer and the same subject line, compared without case, space, reply prefixes
and ticket token, and name no different (sub)domains. A ticket without a subject or a customer has no duplicates. The
work grows linearly with the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.sla.agreement.agreement import Agreement, MessageEffect, QueueRules
from app.sla.fields import casefolded
from app.sla.pattern import desk_pattern
from app.sla.ticket import Ticket

_SEPARATOR: Final = "\x1f"

DEFAULT_QUEUE: Final = "default"
"""The queue of tickets that name none, so that it has an address as well."""

# fmt: off
FILE_ENDINGS: Final = frozenset({
    "asp", "aspx", "bak", "cfg", "cgi", "conf", "css", "csv", "dll", "doc", "docx", "eml", "exe", "gif", "gz",
    "htaccess", "htm", "html", "inc", "ini", "jpeg", "jpg", "js", "json", "log", "pdf", "php", "phtml", "png",
    "ppt", "pptx", "rar", "sql", "svg", "tar", "tgz", "txt", "wav", "webp", "xls", "xlsx", "xml", "yaml", "yml",
    "zip",
})
# fmt: on
"""Last labels that name a file and no domain, in the texts of a hosting desk's customers."""

_LONGEST_LABEL: Final = 63  # of a domain name, by RFC 1035
_NAME_LIKE: Final = re.compile(r"@?[\w.-]+")
_LABEL: Final = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class GroupKey:
    """Identity of a group of possible duplicates, within a desk."""

    queue: str
    customer: str
    subject: str


def queue_of(fields: Mapping[str, object]) -> str:
    """The queue that a ticket with these fields is in, by its name as written."""
    return str(fields.get("queue") or "").strip() or DEFAULT_QUEUE


def group_of(fields: Mapping[str, object], rules: QueueRules) -> GroupKey | None:
    """The duplicate group of a ticket with these fields; none when it can have no duplicates."""
    customer = casefolded(fields.get("customer"))
    title = fields.get("title")
    subject = normalized_subject(None if title is None else str(title), rules)
    return GroupKey(queue_of(fields), customer, subject) if customer and subject else None


def normalized_subject(title: str | None, rules: QueueRules) -> str:
    """The normalized subject line; it may be empty."""
    text = unicodedata.normalize("NFKC", title or "")
    if desk_pattern(rules.token).search(text) is not None:
        text = desk_pattern(rules.token).sub(" ", text)
    spaced = " ".join(text.casefold().split())
    return _prefixes(rules.prefixes).sub("", spaced).strip()


def ticket_token(text: str | None, rules: QueueRules) -> str | None:
    """The ticket's id that a subject carries in its token, as in "Re: Mail [[4711]]"; none without a
    token."""
    found = desk_pattern(rules.token).search(text or "")
    return (found[1] or "").strip() or None if found else None


@lru_cache(maxsize=64)
def _prefixes(prefixes: tuple[str, ...]) -> re.Pattern[str]:
    """One or more of the prefixes at the start, each perhaps with a count: "Re:", "RE[2] :", "Antw (3):"."""
    alternatives = "|".join(re.escape(p.casefold()) for p in prefixes)
    count = r"(?:\[ ?\d+ ?\]|\( ?\d+ ?\))?"
    return re.compile(rf"^(?: ?(?:{alternatives}) ?{count} ?:)++" if alternatives else r"(?!)")


def lacks_domain(fields: Mapping[str, object], texts: Iterable[str], rules: QueueRules) -> bool:
    """Whether the ticket names no (sub)domain although the desk requires one. `texts`: the customer's
    messages."""
    return rules.domain_required and not domains_named(fields, texts)


def domains_named(fields: Mapping[str, object], texts: Iterable[str]) -> frozenset[str]:
    """The (sub)domains that a ticket is about: its field `domain`, else those in its title and the texts.

    Normalized: lower case, without "www.". The domain of a mail address counts only where no other is named,
    since most addresses stand in signatures.
    """
    if domain := casefolded(fields.get("domain")):
        return frozenset(_names(domain)[0]) or frozenset({domain})
    plain: set[str] = set()
    addressed: set[str] = set()
    for text in (str(fields.get("title") or ""), *texts):
        names, of_addresses = _names(text)
        plain |= names
        addressed |= of_addresses
    return frozenset(plain or addressed)


def _names(text: str) -> tuple[set[str], set[str]]:
    """Domain names that stand alone in the text, and those of its mail addresses."""
    plain: set[str] = set()
    addressed: set[str] = set()
    for token in _NAME_LIKE.finditer(text):
        is_mailbox = text.startswith("@", token.end())
        if not is_mailbox and (name := _domain(token[0].lstrip("@"))):
            (addressed if token[0][0] == "@" else plain).add(name)
    return plain, addressed


def _domain(word: str) -> str | None:
    """The word as a normalized domain name; none when it is a file, an abbreviation or two sentences."""
    labels = word.strip(".-_").split(".")
    last = labels[-1]
    if len(labels) < 2 or len(last) < 2 or not last.isalpha() or last.casefold() in FILE_ENDINGS:
        return None
    # "does not work.Could you" lacks a space; a domain is written in one case.
    if last != last.lower() and last != last.upper():
        return None
    if not all(len(label) <= _LONGEST_LABEL and _LABEL.fullmatch(label) for label in labels):
        return None
    return ".".join(labels).casefold().removeprefix("www.")


def group_key(ticket: Ticket, agreement: Agreement) -> str | None:
    """The duplicate group of a ticket as one text; none when it can have no duplicates.

    None, too, where the agreement lets duplicates keep their place: there no ticket affects another.
    """
    if agreement.queue.duplicate is MessageEffect.KEEPS or ticket.created_at is None:
        return None
    group = group_of(ticket.fields, agreement.queue)
    return None if group is None else _SEPARATOR.join((group.queue, group.customer, group.subject))
