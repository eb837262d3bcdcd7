"""Queues: the wait intervals of a ticket, positions, duplicates, forecasts and the signals of moves."""
