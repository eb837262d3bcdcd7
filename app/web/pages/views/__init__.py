"""The room of the page `views`: saved views, where they are saved, renamed, deleted and made the default."""
