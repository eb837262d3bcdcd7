"""The timer itself: pure functions over facts, agreements and calendars.

No clock on the wall, no I/O, no framework, no database. Instants are whole microseconds since 1970 in UTC (`Micros`),
durations are microseconds as well; aware datetimes appear only in the public verbs of `Calendar`.
Read in this order: span, calendar, target, agreement, ticket, moment, account, clock, track, fold, evaluation, signal,
explanation, queue.
"""
