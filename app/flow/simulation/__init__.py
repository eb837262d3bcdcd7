"""Simulations: what a desk's recorded tickets would have come to under other hours, targets or contracts."""
