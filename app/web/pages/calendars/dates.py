"""Dates of a calendar in words."""

from datetime import date

from babel.dates import format_skeleton, get_day_names

from app.web.pages.frame.words import Words


def weekday(words: Words, on: date) -> str:
    """As "Mon 2 Mar"."""
    return format_skeleton("MMMEd", on, locale=words.locale)


def day_and_date(words: Words, on: date) -> str:
    """As "Mon 2 Mar 2026"."""
    return format_skeleton("yMMMEd", on, locale=words.locale)


def month_name(words: Words, on: date) -> str:
    """As "Mar"."""
    return format_skeleton("MMM", on, locale=words.locale)


def short_weekday(words: Words, day: int) -> str:
    """The short name of a weekday, Monday is 0: "Mo", "lu", "T2"."""
    return get_day_names("short", "stand-alone", locale=words.locale)[day]


def weekday_name(words: Words, day: int) -> str:
    """The name of a weekday, Monday is 0: "Monday"."""
    return get_day_names("wide", "stand-alone", locale=words.locale)[day]
