"""What a verb of the command line is; every package brings its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from hypervision.settings import Settings


def _nothing(_parser: argparse.ArgumentParser) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of `hypervision`.

    Parameters
    ----------
    name : str
        The word typed after `hypervision`.
    summary : str
        One line for `hypervision --help`.
    run : callable
        `(arguments, settings) -> exit code`; 0 done, 1 failed, 2 wrong usage.
    configure : callable
        Adds the verb's own options to its parser.
    """

    name: str
    summary: str
    run: Callable[[argparse.Namespace, Settings], int]
    configure: Callable[[argparse.ArgumentParser], None] = _nothing
