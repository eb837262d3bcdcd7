"""Adapters: one module or package for each ticket system or monitor, from its bytes to events."""
