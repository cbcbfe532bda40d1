"""The command line: finds the verbs by entry points and runs one of them."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from hypervision import auditing, logs
from hypervision import settings as settings_module
from hypervision.errors import HypervisionError, UsageError
from hypervision.services import guard
from hypervision.verbs import Verb

GROUP = "hypervision.verbs"

# What the machine refuses and its user can mend; any other failure of the system is ours and keeps its traceback.
_MENDABLE: Final = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota",
    errno.EACCES: "give this user the right, or choose another --data-dir",
    errno.EPERM: "give this user the right, or choose another --data-dir",
    errno.EROFS: "choose a --data-dir that can be written to",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong usage.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    broken = next((word for word in argv if not _is_text(word)), None)
    if broken is not None:
        print(f"hypervision: the argument {broken!a} is not valid UTF-8: write it in UTF-8", file=sys.stderr)  # noqa: T201
        return 2
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview(found))  # noqa: T201
        return 0 if argv else 2
    if argv[0] not in found:
        print(f"hypervision: there is no verb {argv[0]!r}: see hypervision --help", file=sys.stderr)  # noqa: T201
        return 2
    guard.arm(os.environ)
    verb: Verb = found[argv[0]].load()
    options = _parse(verb, argv[1:])
    form: logs.Format = "text"
    origin = auditing.ORIGIN.set(auditing.command_line())
    try:
        settings = settings_module.load(config=options.config, demo=verb.name == "demo", overrides=_overrides(options))
        form = settings.log_format
        logs.configure(verb.name, level=settings.log_level, form=form)
        return verb.run(options, settings)
    except HypervisionError as error:
        logs.failed(verb.name, str(error), form=form)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output left (`hypervision rejected list | head`): not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        logs.failed(verb.name, f"{where}{error.strerror}: {_MENDABLE[error.errno]}", form=form)
        return 1
    finally:
        auditing.ORIGIN.reset(origin)


def whole(low: int, high: int) -> Callable[[str], int]:
    """The `type` of an option that takes a whole number from `low` to `high`; anything else is wrong usage.

    Examples
    --------
    >>> whole(1, 9)("7")
    7
    """

    def read(text: str) -> int:
        try:
            # The length first: Python refuses to read thousands of digits with an error of its own.
            number = int(text) if len(text) < 40 else high + 1
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text[:40]} is not from {low} to {high}")
        return number

    return read


def instant(text: str) -> datetime:
    """The `type` of an option that takes an instant with its offset from UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no time: write 2026-11-22T10:00:00Z") from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} has no offset from UTC: end it with Z or +01:00")
    if not 1971 <= at.year <= 9000:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no time of ours: write 2026-11-22T10:00:00Z")
    return at


def number(low: float, high: float) -> Callable[[str], float]:
    """The `type` of an option that takes a number from `low` to `high`; NaN, infinities and the rest are wrong usage.

    Examples
    --------
    >>> number(0.5, 9)("1.5")
    1.5
    """

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from {low} to {high}") from None
        # So written that NaN is refused too.
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text[:40]} is not from {low} to {high}")
        return value

    return read


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a folder, or leave the option out")
    return Path(text)


def _is_text(word: str) -> bool:
    """Whether the bytes of an argument were text; Python hands on others as surrogates, which nothing can store."""
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _overview(found: dict[str, EntryPoint]) -> str:
    lines = ["usage: hypervision VERB [options]", "", "verbs:"]
    for name in sorted(found):
        verb: Verb = found[name].load()
        lines.append(f"  {name:<14}{verb.summary}")
    lines += ["", "hypervision VERB --help tells the options of one."]
    return "\n".join(lines)


def _common(prog: str | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    common = parser.add_argument_group("common options")
    common.add_argument("--data-dir", type=_folder, help="where data, secrets and logs live")
    common.add_argument(
        "--http-port", type=whole(0, 65535), metavar="N", help="port of the control room, 0 for any free"
    )
    common.add_argument("--mqtt-port", type=whole(0, 65535), metavar="N", help="port of the broker, 0 for any free")
    common.add_argument("--config", type=Path, metavar="FILE", help="settings as TOML")
    common.add_argument("--log-level", choices=["debug", "info", "warning", "error"])
    return parser


def _parser(verb: Verb) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"hypervision {verb.name}", description=verb.summary, allow_abbrev=False, parents=[_common()]
    )
    verb.configure(parser)
    return parser


def _parse(verb: Verb, words: list[str]) -> argparse.Namespace:
    """Parse a verb's words; the common options may stand anywhere, also after an action such as `list`."""
    parser = _parser(verb)
    if "-h" in words or "--help" in words:
        return parser.parse_args(words)
    end = words.index("--") if "--" in words else len(words)
    common, rest = _common(parser.prog).parse_known_args(words[:end])
    return parser.parse_args(rest + words[end:], namespace=common)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {
        "data_dir": options.data_dir,
        "log_level": options.log_level,
        "http": {"port": options.http_port},
        "broker": {"port": options.mqtt_port},
    }
    return {
        key: value
        for key, value in given.items()
        if value is not None and (not isinstance(value, dict) or None not in value.values())
    }
