"""slatimer: a pushed event becomes a true, explained deadline, and a breach is told on time.

The story: a help desk pushes what happened to a ticket (`web`). The events are kept, never changed (`store`).
A pure function reads a ticket's events, its desk's agreement and its calendars, and says what every clock is
at an instant (`sla`); no due date is ever patched. What the clocks say and nobody was told yet becomes a
signal, written in the same transaction as the events (`flow`). Between events the service sleeps until the
next instant at which a clock changes, and tells a breach then. The stream and the page show what was told.

Reading order: `sla.span`, `sla.calendar`, `sla.target` (time), `sla.agreement`, `sla.ticket`, `sla.clock`,
`sla.evaluation` (the one judge), then `store`, `flow`, `web`, and last `main` and `cli`, which join them.
Imports point the same way, from the entry points down to `sla`; a contract in pyproject.toml keeps it so.
"""
