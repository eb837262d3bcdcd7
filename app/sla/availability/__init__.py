"""Availability: outages of services, what of them counts as downtime, and whether a period's uptime is kept."""
