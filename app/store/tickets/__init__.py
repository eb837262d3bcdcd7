"""Rows of tickets: events, clocks, signals, queues, schedule, archive, and the lists over them."""
