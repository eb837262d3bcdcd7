"""Why a credit has its amount and its state, as sentences in the reader's language, from the codes of an answer."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, cast

from app.delivery.wording.phrases import N_, NN_
from app.flow.query.credit_texts import percent
from app.intake.instant import read_instant
from app.sla.span import Micros
from app.web.pages.frame.figures import exact_length, month, uptime
from app.web.pages.frame.words import Words

_UPTIME_DECIMALS: Final = 4
_SHARE_DECIMALS: Final = 6
_HUNDRED: Final = 100
Params = Mapping[str, Any]
At = Callable[[Micros], str]
"""Writes an instant on the desk's clock."""

_BASES: Final = {
    "monthly_fee": N_("the monthly fee"),
    "annual_fee": N_("the annual fee"),
    "fee": N_("the fee"),
}
_SENTENCES: Final = {
    "credit_no_band": N_("No band of the agreement has this uptime."),
    "credit_not_in_text": N_("A credit is owed, and the text of the agreement does not state its amount."),
    "credit_no_fee": N_("No fee is known: enter the fee of contract {ref} for this month."),
    "credit_no_currency": N_("No currency is known: enter that of contract {ref}."),
    "credit_claimed": N_("Claimed."),
    "credit_lapsed": N_("No claim was filed in time."),
    "credit_withdrawn": N_("Its cause no longer stands: somebody decides whether it stays."),
}
_DECIDED: Final = {
    "claimed": N_("Requested by {author}: {reason}"),
    "granted": N_("Granted by {author}: {reason}"),
    "refused": N_("Refused by {author}: {reason}"),
}
_WHOLE_UNITS: Final = NN_(
    "{n} whole unit of {length}; the rest does not count.",
    "{n} whole units of {length}; the rest does not count.",
)
_BEGUN_UNITS: Final = NN_("{n} unit of {length} begun.", "{n} units of {length} begun.")


def explained(words: Words, credit: Mapping[str, Any], at: At, labels: Mapping[str, str]) -> list[str]:
    """The explanation of a credit's document; rules that have a label are called by it.

    What has no code, or one that is not known here, stays in English."""
    details = credit["explanation_details"]
    return [
        text if detail is None else _sentence(words, detail, text, at, labels)
        for detail, text in zip(details, credit["explanation"], strict=True)
    ]


def _sentence(words: Words, detail: Mapping[str, Any], text: str, at: At, labels: Mapping[str, str]) -> str:
    params, ref = detail["params"], labels.get(str(detail["ref"]), detail["ref"])
    match detail["code"]:
        case "credit_uptime":
            return _uptime(words, ref, params)
        case "credit_missed":
            return _missed(words, ref, params, at)
        case "credit_units":
            return _units(words, params)
        case "credit_band":
            return words.say(
                N_("The band from {first} to under {last}."),
                first=_percent(words, params["from"]),
                last=_percent(words, params["below"]),
            )
        case "credit_interruption":
            lengths = {name: _length(words, params[name]) for name in ("seconds", "paid_seconds")}
            phrase = N_(
                "The interruption of {seconds} is its part of the {paid_seconds} that the fee pays for."
            )
            return words.say(phrase, **lengths)
        case "credit_share":
            share = share_of(words, Fraction(str(params["share"])))
            return words.say(N_("{share} of {base}."), share=share, base=_base(words, params))
        case "credit_capped":
            return words.say(
                N_("At most {cap} of {base}."), cap=_percent(words, params["cap"]), base=_base(words, params)
            )
        case "credit_decided":
            return _decided(words, params, text)
        case code if code in _SENTENCES:
            return words.say(_SENTENCES[code], ref=ref)
        case _:
            return text


def _uptime(words: Words, ref: object, params: Params) -> str:
    return words.say(
        N_("The uptime ({name}) was {uptime} in {month}, with {down} of downtime; the target is {target}."),
        name=ref,
        uptime=uptime(words, percent(Fraction(str(params["uptime"])), _UPTIME_DECIMALS)),
        month=month(words, str(params["period"])),
        down=_length(words, params["downtime_seconds"]),
        target=words.uptime(str(params["target"])),
    )


def _missed(words: Words, ref: object, params: Params, at: At) -> str:
    when = at(read_instant(params["at"]))
    listed = [str(each) for each in cast("list[object]", params.get("tickets") or [])]
    if params["ticket"] is None:
        text = words.say(
            N_("The commitment {name} was missed {when}, in the outage that began {began}."),
            name=ref,
            when=when,
            began=at(read_instant(params["from"])),
        )
    else:
        text = words.say(
            N_("The commitment {name} of ticket {ticket} was missed {when}."),
            name=ref,
            ticket=params["ticket"],
            when=when,
        )
    also = [each for each in listed if each != params["ticket"]]
    if not also:
        return text
    others = words.say(N_("Also reported by {tickets}."), tickets=words.both(*also))
    return f"{text} {others}"


def _units(words: Words, params: Params) -> str:
    units, length = Fraction(str(params["units"])), _length(words, params["per_seconds"])
    match params["rounding"]:
        case "down" if units == 0:
            return words.say(N_("The downtime has no whole unit of {length}."), length=length)
        case "down":
            return words.count(_WHOLE_UNITS, int(units), length=length)
        case "up":
            return words.count(_BEGUN_UNITS, int(units), length=length)
        case _:
            return words.say(
                N_("{share} of a unit of {length}."), share=share_of(words, units), length=length
            )


def _decided(words: Words, params: Params, text: str) -> str:
    phrase = _DECIDED.get(str(params["state"]))
    if phrase is None or not params.get("author") or not params.get("reason"):
        return text
    return words.say(phrase, author=params["author"], reason=params["reason"])


def _base(words: Words, params: Params) -> str:
    return words.say(_BASES[str(params["base"])])


def _percent(words: Words, written: object) -> str:
    """A share as the language writes it; agreements write it as "99.5%"."""
    text = str(written)
    return uptime(words, text.removesuffix("%").strip()) if text.endswith("%") else text


def _length(words: Words, seconds: object) -> str:
    return exact_length(words, round(Fraction(str(seconds))))


def share_of(words: Words, share: Fraction) -> str:
    """A share in per cent, exact where it has an end: "49.5%", "4.166666…%"."""
    text = percent(share, _SHARE_DECIMALS)
    if Fraction(text) == share * _HUNDRED:
        return uptime(words, text.rstrip("0").rstrip("."))
    return words.say(N_("about {share}"), share=uptime(words, text))
