"""Credits: what a broken availability or a missed commitment is worth to a contract, and what became of it."""
