"""slatimer: computes service-level clocks of support tickets from stored events, and detects breaches on time.

From the same events come the uptime of services, the averages and allowances of a month, and the credits of contracts.

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
8. Events are about tickets or other subjects (`sla.subject`): a service with its outages, a call, a contract. Each kind
   has its own evaluation (`flow.judge.subjects`, `flow.judge.averages`, `flow.judge.contract_case`); signals and sweep
   are the same. Contracts are evaluated when a month ends, and when a late fact changes one that is over.
9. The figures of a month are pure functions of the same events: uptimes (`sla.availability`), averages (`sla.average`),
   allowances (`sla.allowance`), charges (`sla.charge`), credits and statements (`sla.credit`), reports (`sla.report`).
   Each is shown at any instant, as of any other. Their rules are data (`sla.agreement`); what a customer has bought is a
   contract (`sla.contract`). Agreements, calendars and contracts keep all their versions (`store.contracts`).

Reading order: `sla.span`, `sla.calendar`, `sla.agreement.agreement`, `sla.ticket`, `sla.clock.clock`,
`sla.clock.evaluation`, `sla.availability.uptime`, `sla.credit.line`; `store.engine`, `store.tickets.ledger`;
`flow.judge.receive`, `flow.judge.assess`, `flow.process.sweep`; `web.api.tickets.events`; `main`, `worker` and `cli`,
which compose the parts.
Imports point one way, from left to right: `cli > main, worker > web > flow > intake, store, delivery, jobs > principal >
sla, settings, log, background` (the contracts in pyproject.toml).
"""
