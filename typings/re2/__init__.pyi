"""Types of the part of google-re2 that the project uses."""

class error(Exception): ...  # noqa: N801 - its name there

class Options:
    log_errors: bool

class Match:
    def __getitem__(self, group: int) -> str | None: ...

class Pattern:
    groups: int
    def search(self, text: str) -> Match | None: ...
    def sub(self, repl: str, text: str) -> str: ...

def compile(pattern: str, options: Options | None = None) -> Pattern: ...
