"""What pages say of a problem, in the reader's language: titles for all kinds that people meet, advice for some.

An answer of the API is in English, whatever `Accept-Language` says: programs compare it, and its places are names of the
API. Pages, and their scripts by the `type` of an answer, put these titles in front of it.
"""

from collections.abc import Mapping
from typing import Final

from app.delivery.wording.phrases import N_
from app.web.http.problems import Kind

TITLES: Final[Mapping[Kind, str]] = {
    Kind.NOT_SIGNED_IN: N_("A valid key is needed"),
    Kind.NOT_ALLOWED: N_("You may not do this"),
    Kind.NOT_FOUND: N_("Not found"),
    Kind.NOTHING_KNOWN: N_("Nothing was known at that time"),
    Kind.CONFLICT: N_("It does not fit what is stored"),
    Kind.LIMIT_REACHED: N_("A limit of the desk is reached"),
    Kind.GONE: N_("No longer stored"),
    Kind.TOO_LARGE: N_("This is too large"),
    Kind.INVALID: N_("Something entered is not valid"),
    Kind.TOO_EXPENSIVE: N_("This takes too long to compute"),
    Kind.EVENTS_REFUSED: N_("The event was refused."),
    Kind.TOO_MANY: N_("Too many requests"),
    Kind.PARKED: N_("The ticket cannot be evaluated at present"),
    Kind.INTERNAL: N_("An error of the service"),
    Kind.UNAVAILABLE: N_("The service is unavailable"),
}
PAGE_TITLES: Final[Mapping[Kind, str]] = {
    **TITLES,
    Kind.NOT_ALLOWED: N_("You may not see this"),
    Kind.NOTHING_KNOWN: N_("Nothing is known of it"),
    Kind.INVALID: N_("The address is not valid"),
}
"""The same of a page that was asked for."""
ADVICE: Final[Mapping[Kind, str]] = {
    Kind.NOT_ALLOWED: N_("Your role does not include it. An administrator can change that."),
    Kind.NOT_FOUND: N_("There is nothing at this address that you may see: {path}"),
    Kind.NOTHING_KNOWN: N_("Nothing has been received about it yet: {path}"),
    Kind.GONE: N_("It is older than what is stored here."),
    Kind.TOO_EXPENSIVE: N_("Choose a shorter time, or filter for less."),
    Kind.TOO_MANY: N_("Wait a little, then reload the page."),
    Kind.UNAVAILABLE: N_("Wait a little, then reload the page."),
}
"""Instead of a detail that is written for programs and speaks of keys. Others name the faulty place, in English."""
OTHER_TITLE: Final = N_("This page cannot be shown")
