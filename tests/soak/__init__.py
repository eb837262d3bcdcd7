"""Hours under a life-like load: does memory grow, is every breach detected on time, does anything fail?

Two web processes and three workers on PostgreSQL and Valkey serve the five shipped desks and one with targets of
seconds. Ticket systems push, a subscriber and two clients of the stream receive, people read pages and lists, reports
are asked for and simulations run. `python -m tests.soak` runs for HOURS, prints a row of figures each interval, writes
them to soak.csv, and ends with the verdict.

Reading order: `systems` (what pushes), `readers` (what asks), `figures` (a row), `verdict`, `__main__`.
"""
