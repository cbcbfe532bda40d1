"""`python -m simulators.water ORDER.json RESULT.npz`: run the hydraulics apart, where their memory is given back."""

from __future__ import annotations

import sys
from pathlib import Path

from simulators.water.courses import order_from_json, save
from simulators.water.hydraulics import simulate

if __name__ == "__main__":
    order = order_from_json(Path(sys.argv[1]).read_text("utf-8"))
    save(Path(sys.argv[2]), simulate(order))
