"""The families of errors. Only the command line turns them into text and exit codes."""


class WhypanicError(Exception):
    """Base: a message of one lower-case line, and hints."""

    def __init__(self, message: str, *, hints: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hints = hints


class UsageError(WhypanicError):
    """The words of the command are off. Exit 2."""


class InputError(WhypanicError):
    """An input cannot be read or understood. Exit 2."""

    def __init__(
        self, message: str, *, path: str | None = None, hints: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hints=hints)
        self.path = path


class HostError(WhypanicError):
    """A tool is missing or a process died. Exit 3."""
