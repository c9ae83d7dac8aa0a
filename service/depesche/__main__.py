"""`python -m depesche` is the command line."""

import sys

from depesche.cli import main

if __name__ == "__main__":
    sys.exit(main())
