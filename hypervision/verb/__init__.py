"""The core's verbs, one file each: options and what they do."""

from __future__ import annotations

from typing import Final

# How long a verb that somebody typed waits for a database that is away or lacks its schema [s]. A server that
# restarts or is being migrated is back by then; who waits longer wants to know what to do.
PATIENCE: Final = 2.0
