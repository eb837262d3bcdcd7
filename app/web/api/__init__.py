"""The API's resources, by subject."""
