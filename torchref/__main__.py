"""`python -m torchref`: the command line, for whoever has no `torchref` on the path."""

from torchref.cli import main

if __name__ == "__main__":
    main()
