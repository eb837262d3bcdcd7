"""slatimer: computes service-level clocks of support tickets from stored events, and detects breaches on time.

1. A ticket system pushes an event, as CloudEvents or as its own webhook (`web.api.tickets.events`, `flow.inbound`).
2. The event is stored and never changed (`store.tickets.ledger`). Its id makes a repetition harmless.
3. `evaluate` (`sla.clock.evaluation`) replays a ticket's events with its agreement and calendars to the state of every
   clock at an instant. It is pure. No due date is stored as a fact, and none is ever patched.
4. Transitions that are true and not recorded yet become signals (`flow.judge.emit`), in the transaction of the events.
5. `next_at` is the next instant at which a clock can change. The sweep (`flow.process.sweep`) sleeps until the least one
   and evaluates then: a breach is detected when it happens.
6. Signals go to the stream (`flow.process.tail`) and to the outbox (`store.outbound.outbox`), and from there to
   subscribers (`flow.outbound.deliver`).
7. A late event, a withdrawal or a new agreement evaluates the ticket again. Only the difference becomes a signal.

Reading order: `sla.span`, `sla.calendar`, `sla.agreement.agreement`, `sla.ticket`, `sla.clock.clock`,
`sla.clock.evaluation`; `store.engine`, `store.tickets.ledger`; `flow.judge.receive`, `flow.judge.assess`,
`flow.process.sweep`; `web.api.tickets.events`; `main`, `worker` and `cli`, which compose the parts.
Imports point one way, from left to right: `cli > main, worker > web > flow > intake, store, delivery, jobs > principal >
sla, settings, log, background` (the contracts in pyproject.toml).
"""
