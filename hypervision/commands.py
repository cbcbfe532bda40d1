"""The verbs that the core brings to the command line."""

from __future__ import annotations

import argparse
from importlib import import_module

from hypervision.settings import Settings
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
    from hypervision.endpoints import complete

    return watch.main(complete(settings, process="watch"))


def _verb(name: str, summary: str) -> Verb:
    """Describe a verb of `hypervision/verb/` whose module is imported when it is used.

    Naming the verbs must stay cheap: every process of the platform begins with it.
    """

    def run(options: argparse.Namespace, settings: Settings) -> int:
        return int(import_module(f"hypervision.verb.{name}").run(options, settings))

    def configure(parser: argparse.ArgumentParser) -> None:
        import_module(f"hypervision.verb.{name}").configure(parser)

    return Verb(name, summary, run, configure)


UP = Verb("up", "run the platform on this machine, broker and database included", _up)
DEMO = Verb("demo", "run the platform with a small simulated town, faults in progress", _demo)
DATABASE = Verb("database", "run the embedded database alone (a part of `up`)", _database)
DB = _verb("db", "migrate, inspect, back up or restore the database")
ACCOUNTS = _verb("accounts", "add, list, disable accounts, give new passwords")
AUDIT = _verb("audit", "who did what: list, prove, export, seal")
THINGS = _verb("things", "list waiting Things, let them in, say how often they send")
OBSERVATIONS = _verb("observations", "import past readings, take out or put right wrong ones")
ALARMS = _verb("alarms", "list, acknowledge, shelve alarms; out of service, maintenance windows")
RULES = _verb("rules", "list rules, propose, approve and roll back their changes, replay them")
WATCH = Verb("watch", "run the timers: delays, silence, tidying", _watch)
