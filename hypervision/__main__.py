"""`python -m hypervision VERB`."""

from __future__ import annotations

import sys

from hypervision.cli import main

if __name__ == "__main__":
    sys.exit(main())
