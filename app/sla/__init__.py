"""The core: pure functions over events, agreements and calendars.

It reads no wall clock and does no I/O; it imports no framework and no database. Instants are whole microseconds since
1970 in UTC (`Micros`), durations are microseconds as well. Aware datetimes appear only in the public methods of
`Calendar`. Read in this order: span, reason, event, ticket, calendar, agreement, clock, queue.
"""
