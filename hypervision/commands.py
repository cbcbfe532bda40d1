"""The verbs that the core brings to the command line."""

from __future__ import annotations

import argparse

from hypervision.settings import Settings
from hypervision.verb import accounts, db, observations, things
from hypervision.verbs import Verb


def _up(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision import launch

    return launch.run(options, settings, name="up")


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision import launch

    return launch.run(options, settings, name="demo")


def _database(_options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.services import database

    return database.guard(settings)


def _watch(_options: argparse.Namespace, settings: Settings) -> int:
    from hypervision import watch

    return watch.main(settings)


UP = Verb("up", "run the platform on this machine, broker and database included", _up)
DEMO = Verb("demo", "run the platform with a small simulated town, faults in progress", _demo)
DATABASE = Verb("database", "run the embedded database alone (a part of `up`)", _database)
DB = Verb("db", "migrate, inspect, back up or restore the database", db.run, db.configure)
ACCOUNTS = Verb("accounts", "add or list accounts", accounts.run, accounts.configure)
THINGS = Verb("things", "list waiting Things and let them in", things.run, things.configure)
OBSERVATIONS = Verb("observations", "import past readings", observations.run, observations.configure)
WATCH = Verb("watch", "run the timers: delays, silence, tidying", _watch)
