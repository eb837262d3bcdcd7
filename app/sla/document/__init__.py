"""Reading a desk's TOML files: typed access to a table's keys, and faults with place and remedy."""
