"""Does anything get lost, doubled or told at the wrong time when parts of the whole set-up break?

Two web processes and three workers on PostgreSQL and Valkey, events pushed by a separate process that keeps what was
acknowledged, and one fault at a time: something killed, frozen, cut off, emptied or set to a wrong clock. After each
fault everything that was acknowledged is looked for, and every breach that an independent reference computes from it is
looked up. `python -m tests.chaos` runs as many rounds as ROUNDS says; `test_chaos.py` is the short form.

Read in this order: `life` (what happens to a ticket), `reference` (what must be told of it), `pusher` (who sends it),
`fleet` and `fault` (what runs and what breaks), `verdict` (what is compared), `harness` (the rounds).
"""
