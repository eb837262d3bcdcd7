"""Faults and remarks of a desk's files in the reader's language.

The readers of files state what is wrong, and what to write instead, as English sentences with values in them: for the
API, the command line and the log. A page recognizes the sentences that people meet most and says them in its language;
the values, which are text of the file, stay as they are. A sentence that is not listed is shown in English, marked so.
"""

import re
from functools import cache
from typing import Final

from markupsafe import Markup, escape

from app.delivery.wording.phrases import N_
from app.web.pages.frame.words import Words

LONGEST: Final = 1_000
"""Characters of a sentence that is compared with the phrases: values of a file may be much longer."""

_WRITE: Final = N_("Write {a}.")
_CODE: Final = re.compile(r"""["'\[{*\d]|[\w.{}-]+ = """)
"""How text of a file begins: what follows "Write" may also be a sentence."""

_LAST: Final = N_("or")
_OR: Final = re.compile(r'(?<=") or (?=")')

PHRASES: Final = (
    # What is wrong.
    N_("it is missing"),
    N_("it is empty"),
    N_("there is none"),
    N_("no such key here"),
    N_("the name is taken, without regard to case"),
    N_("no weekday is named"),
    N_("the file has no calendar"),
    N_("nothing starts it"),
    N_("nothing stops it"),
    N_("it names no service"),
    N_("the agreement names no currency"),
    N_("its currency is not known"),
    N_("a ticket has no such field"),
    N_("one of first and last has a year and the other has none"),
    N_("it is missing beside {a}"),
    N_("{a} is not known"),
    N_("{a} is not a text"),
    N_("{a} is not a date"),
    N_("{a} is not a list"),
    N_("{a} is not a table"),
    N_("{a} is not a name"),
    N_("{a} is not a list of values"),
    N_("{a} is not a list of categories"),
    N_("{a} is neither true nor false"),
    N_("{a} is not a whole number of {b} or more"),
    N_("{a} is not a weekday or a range of weekdays"),
    N_("{a} is not a pair of hours"),
    N_("{a} has an hour that no clock shows"),
    N_("{a} has no length"),
    N_("{a} overlaps {b}"),
    N_("{a} has hours already"),
    N_("{a} has the hours of {b} already in some of these weeks"),
    N_("{a} is named already"),
    N_("{a} is named twice, without regard to case"),
    N_("{a} is taken"),
    N_("{a} is before {b}"),
    N_("{a} is not a day: {b}"),
    N_("{a} is not a zone of the zone database"),
    N_("{a} is not a range of covered years"),
    N_("{a} has no half-days"),
    N_("{a} is not a length of time"),
    N_("{a} is not a calendar time"),
    N_("{a} is not a target"),
    N_("{a} is not an amount"),
    N_("{a} is negative"),
    N_("{a} is not a share"),
    N_("{a} is more than the whole"),
    N_("{a} has a space, a slash, a dot or a bracket"),
    N_("there is no calendar {a}"),
    N_("there is no level {a}"),
    N_("there is no event type {a}"),
    N_("there is no event type, status or date {a}"),
    N_("there is no currency {a}"),
    N_("there is no rule {a}"),
    N_("no earlier commitment is called {a}"),
    N_("no level sets {a}"),
    N_("a ticket has no field {a}"),
    N_("the agreement has no level {a}"),
    N_("the agreement has no service {a}"),
    N_("{a} is no limit"),
    N_("{a} is no kind of a commitment on uptime"),
    N_("{a} is no target of an uptime"),
    N_("{a} can never be kept or never be broken"),
    N_("{a} is not a warning"),
    N_("an allowance cannot count {a}"),
    N_("no value has a calendar"),
    N_("the value is taken, without regard to case"),
    N_("a charge cannot be made on {a}"),
    N_("{a} has no line"),
    N_("{a} names nothing"),
    N_("{a} is not a day of the month"),
    N_("it has a control character"),
    N_("there is no availability or commitment {a}"),
    N_("there is no availability {a}"),
    N_("{a} counts the downtime of a period, and {b} is no availability"),
    N_("{a} is nothing"),
    N_("{a} is of the kind {b}, and only a guarantee makes a credit"),
    N_("only a credit for the time of an interruption has it"),
    N_("nothing shows the fact"),
    N_("a fact does not show itself"),
    N_("{a} has no group"),
    N_("{a} is not a pattern: {b}"),
    N_("it has no language"),
    N_("{a} is no code of a language"),
    N_("it is no code of a language"),
    N_("{a} is no share of up to 100 %"),
    N_("a date starts no cycle {a}"),
    N_("a first response never restarts"),
    N_("there are more than {a} recurring days"),
    N_("{a} are more than one calendar may have"),
    N_("{a} tables are too many"),
    N_("{a} weeks are more than a year"),
    N_("its tables are nested too deeply"),
    N_("it cannot be stored: {a}"),
    N_("{a} is not the desk of this address"),
    N_("no customer answers the desk's calls"),
    N_("an average is not taken of {a}"),
    # What to write instead. Specific sentences come first.
    N_("Write a share between nothing and the whole, as {a}."),
    N_("Write a share below the whole, {a}."),
    N_("Leave it out, or write {a}."),
    N_("Write how many months the amount pays for, as {a}."),
    N_("Name a service, or leave it out for all of the agreement."),
    N_("Split the contract, or raise the limit."),
    N_("Shorten it, or raise the limit."),
    N_("A fee is 0 or more; give what is owed as a credit."),
    N_("Write a share up to {a}."),
    N_("Write a cap of at least one unit's share, or leave it out."),
    N_("Let the highest band end at the target."),
    N_("Give it a target as {a}."),
    N_("Write a share that is no less than that of the band above."),
    N_("Give it a target as {a} and no conditions, or leave it out."),
    N_("Take {a} out of the list."),
    N_("Give it an id that nothing else in the file has."),
    N_("Leave some out, or name dates."),
    N_("State each term once."),
    N_("Name {a} sets or fewer, each by several calendars."),
    N_("Keep those that a commitment looks for, or raise the limit."),
    N_("Nothing is known here: leave it out."),
    N_("Name each weekday once."),
    N_("Name each day once."),
    N_("Name each service once."),
    N_("Name each value once."),
    N_("Give each commitment an id of its own."),
    N_("Give each credit an id of its own."),
    N_("Give each table its own name."),
    N_("Write the first day, then the last."),
    N_("End one the day before the other begins."),
    N_("Let the weeks take turns, or name each weekday once."),
    N_("Leave it out."),
    N_("Round it."),
    N_("Take it out."),
    N_("Choose another date, or none."),
    N_("Give a readable TOML file."),
    N_("Write {a} for a whole day, or an empty list for a closed one."),
    N_("Write {a}, with 24:00 as the latest end."),
    N_("Write {a}, or two that do not overlap."),
    N_("Write {a} for every year, or {b}."),
    N_("Write {a}, the hours of these days; an empty list closes them."),
    N_("Write {a}, the first and the last year, within {b}."),
    N_("Write {a} in a table {b} of this file."),
    N_("Write {a} at the top of the file."),
    N_("Write {a} here or in the agreement."),
    N_("Write {a} with its hours."),
    N_("Write {a} or fewer."),
    N_("Write a date as {a}; for every year {b}."),
    N_("Write a date as {a}."),
    N_("Write a code of ISO 4217, as {a}."),
    N_("Write it as {a}."),
    N_("Add {a} to the categories, or leave it out."),
    N_("Did you mean {a}? Write {b}."),
    N_("Did you mean {a}?"),
    _WRITE,
    # Exports of contracts.
    N_("it is not TOML: {a}"),
    N_("it has no contracts. Write [contracts.NAME], or [[contracts]] with id for several terms"),
    N_("its header is no CSV: {a}"),
    N_("it is no CSV up to line {a}: {b}"),
    N_("the row at line {a} has more than {b} characters. Is a quote unclosed?"),
    N_("its header has {a} more than once. Rename one of them"),
    N_("it has more than {a} bytes. Raise SLATIMER_REPLAY_MAX_SIZE, or split it"),
    N_("Correct the row."),
    # Facts and decisions that are not possible.
    N_("{a} needs a reason"),
    N_("{a} needs an instant from which and a later one up to which it is"),
    N_("The credit is owed without being asked for."),
    N_("The time to claim it ended at {a}. It can still be granted."),
    N_("It was withdrawn: its cause no longer stands. A lead grants it all the same, or refuses it."),
    N_("It still accrues, until {a}. Decide then."),
)
"""The English sentences, with places for what they quote from the file."""


@cache
def _literals() -> tuple[tuple[tuple[str, ...], str], ...]:
    """The texts of each phrase around its places, and the phrase."""
    return tuple((tuple(phrase.replace("{b}", "{a}").split("{a}")), phrase) for phrase in PHRASES)


def _quoted(literals: tuple[str, ...], sentence: str) -> list[str] | None:
    """What stands in the places between these texts; None if the sentence is another one. Linear in its length."""
    first, *between = literals
    if not between:
        return [] if sentence == first else None
    *between, last = between
    if not (sentence.startswith(first) and sentence.endswith(last)):
        return None
    rest, found = sentence[len(first) : len(sentence) - len(last)], list[str]()
    for text in between:
        value, text_found, rest = rest.partition(text)
        if not text_found:
            return None
        found.append(value)
    found.append(rest)
    return found if all(found) else None


def fault_text(words: Words, sentence: str) -> Markup:
    """A sentence of a fault in the reader's language; in English where it is not one of the phrases."""
    if len(sentence) <= LONGEST:
        for literals, phrase in _literals():
            quoted = _quoted(literals, sentence)
            if quoted is not None and (phrase != _WRITE or _CODE.match(quoted[0])):
                places = zip("ab", quoted, strict=False)
                return escape(words.say(phrase, **{name: _either(words, value) for name, value in places}))
    return Markup('<span lang="en">{}</span>').format(sentence)


def _either(words: Words, quoted: str) -> str:
    """What a sentence quotes, with the word of the language between the last two of several."""
    return _OR.sub(f" {words.say(_LAST)} ", quoted)
