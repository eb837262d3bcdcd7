"""The room of the page `contracts`: importing them from an export of a billing system."""
