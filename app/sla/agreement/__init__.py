"""Agreements: commitments, levels, queue rules, versions, and the file that they are read from."""
