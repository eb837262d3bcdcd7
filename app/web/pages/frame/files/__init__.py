"""What the pages of a desk's two files have in common: drafts with their faults, previews, and versions."""
