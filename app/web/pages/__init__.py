"""The pages for people: a board of all clocks, a ticket with its explanations, a queue.

They are markup and scripts of our own that ask the same API as everybody else; no number is made up or computed here.
"""
