"""Where the command `torchref` begins, and `python -m torchref`, for whoever has none on the path.

It imports no more than it must before Ctrl-C is seen to.
"""

import signal


def main() -> None:
    """The command line. While it is imported Ctrl-C ends it without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from torchref import cli

    cli.main()


if __name__ == "__main__":
    main()
