"""Systems without an adapter of their own: read by the expressions of a desk's file."""
