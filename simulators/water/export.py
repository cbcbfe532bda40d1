"""`python -m simulators.water.export`: compute the hydraulic result that ships with the package."""

from __future__ import annotations

from simulators.water.courses import SHIPPED, make_shipped

if __name__ == "__main__":
    make_shipped(SHIPPED)
