"""The one error that is meant for a reader.

    Exception
    └── ToolError      one sentence for the user and the model that offers the next step
        └── BadInput   the same, for a file or a setting that cannot be used; the command line exits with 2

Everything else is a bug: it rises to the edge (`ui`), where the user gets an error id and the log gets the trace.
"""


class ToolError(Exception):
    """One clear sentence for the reader that says what is wrong and what to do next."""


class BadInput(ToolError):
    """A file, setting or command-line value that cannot be used as it is; nothing was changed."""
