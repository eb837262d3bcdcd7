"""Fault injection on a complete set-up: nothing may be lost, doubled or recorded at the wrong time.

Two web processes and three workers run on PostgreSQL and Valkey. A separate process pushes events and writes down what
was acknowledged. One fault at a time is injected: a process killed or frozen, a connection cut, Redis emptied, a clock
set wrong, a disk full. After each fault every acknowledged event must be stored, and every breach that an independent
reference computes must have its signal. `python -m tests.chaos` runs ROUNDS rounds; `test_chaos.py` is the short form.

Reading order: `life` (events of a ticket), `outages` (facts of a service), `credits`, `claims` and `calls` (figures of
months), `reference` (expected breaches), `pusher` (sends events), `processes`, `fleet`, `disk` and `fault` (set-ups and
faults), `plan` (which of them), `verdict` (comparison), `harness` (rounds).
"""
