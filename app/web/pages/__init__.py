"""The pages: a board of all clocks, a ticket with its explanations, a queue.

Templates and scripts of our own that read the public API; nothing is computed here.
"""
