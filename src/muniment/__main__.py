"""`python -m muniment`."""

import sys

from muniment.cli.main import run

if __name__ == "__main__":
    sys.exit(run())
