"""Contracts of customers over HTTP."""
