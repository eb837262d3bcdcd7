"""Everything of a desk, as rows: read for an export, inserted by an import."""
