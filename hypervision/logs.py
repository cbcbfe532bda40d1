"""Log lines: text for a terminal, or one JSON object a line for a machine; passwords in neither."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, TextIO

# The password of a URL, whoever wrote it into a message: postgresql://user:password@host.
_PASSWORD: Final = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)|(?<=password=)[^\s'\"&]+")
# What a record always has; anything else was given as `extra` and is a field of its own.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

Format = Literal["text", "json"]


def hidden(text: str) -> str:
    """The text without passwords of URLs.

    Examples
    --------
    >>> hidden("no answer from mqtt://platform:s3cret@broker:1883")
    'no answer from mqtt://platform:***@broker:1883'
    """
    return _PASSWORD.sub(lambda found: f"{found['before'] or ''}***", text)


class TextFormatter(logging.Formatter):
    """Time, process, level and message."""

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s {process} %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the lines of an exception."""
        return hidden(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object a line; an exception is a field, so that it is one line as well.

    Parameters
    ----------
    process : str
        The verb.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.args:
            # The text before its values are filled in: the same for every line of a kind.
            told["event"] = str(record.msg)
        told.update({key: value for key, value in vars(record).items() if key not in _OWN})
        if record.exc_info and record.exc_info[0] is not None:
            told["exception"] = {
                "type": record.exc_info[0].__name__,
                "message": str(record.exc_info[1]),
                "trace": self.formatException(record.exc_info),
            }
        if record.stack_info:
            told["stack"] = record.stack_info
        # Hidden field by field: a mark of JSON is no end of a password.
        return json.dumps(_hidden(told), ensure_ascii=False, default=str)


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, dict):
        return {str(key): _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value


def configure(process: str, *, level: str, form: Format, stream: TextIO | None = None) -> None:
    """Log to standard error, unless somebody configured this process already; as JSON, what nobody caught too.

    Parameters
    ----------
    process : str
        The verb.
    level : str
        `debug`, `info`, `warning` or `error`.
    stream : file, optional
        Standard error by default; one that is given replaces what logged before.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter(process) if form == "json" else TextFormatter(process))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=stream is not None)
    logging.captureWarnings(capture=True)
    if form == "json":
        sys.excepthook = _uncaught
        threading.excepthook = _uncaught_in_thread


def failed(process: str, message: str, *, form: Format) -> None:
    """Say why a verb ends: a sentence, or a line of the log."""
    if form == "json":
        logging.getLogger(__name__).error(message)
    else:
        print(f"hypervision {process}: {message}", file=sys.stderr)  # noqa: T201


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("ended by an error", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and told.exc_type is not SystemExit:
        name = "" if told.thread is None else told.thread.name
        logging.getLogger(__name__).critical(
            "the thread %s was ended by an error", name, exc_info=(told.exc_type, told.exc_value, told.exc_traceback)
        )
