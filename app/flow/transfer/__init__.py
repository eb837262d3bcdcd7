"""Use cases: everything of a desk is exported to files, and imported into a database that does not have the desk."""
