"""Log lines for people and for machines."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hypervision import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    yield io.StringIO()
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, threading.excepthook = before[2], before[3]
    logging.captureWarnings(capture=False)


def fail_with(error: Exception) -> None:
    raise error


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_line_has_time_level_process_and_the_kind_of_event(stream: io.StringIO) -> None:
    logs.configure("collect", level="info", form="json", stream=stream)
    logging.getLogger("ingest.collector").warning("%d messages\nwait", 3, extra={"queue": "held"})
    (told,) = lines(stream)
    assert told["time"].endswith("Z")
    assert (told["level"], told["process"], told["logger"]) == ("warning", "collect", "ingest.collector")
    assert (told["message"], told["event"], told["queue"]) == ("3 messages\nwait", "%d messages\nwait", "held")


def test_exception_is_one_line(stream: io.StringIO) -> None:
    logs.configure("watch", level="info", form="json", stream=stream)
    try:
        fail_with(ValueError("a\nb"))
    except ValueError:
        logging.getLogger("x").exception("failed")
    (told,) = lines(stream)
    assert (told["exception"]["type"], told["exception"]["message"]) == ("ValueError", "a\nb")
    assert "test_exception_is_one_line" in told["exception"]["trace"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_password_of_a_url_is_never_written(stream: io.StringIO, form: logs.Format) -> None:
    logs.configure("serve", level="info", form=form, stream=stream)
    log = logging.getLogger("x")
    log.error("no answer from %s", 'postgresql://me:s3cret"1@db/h', extra={"url": ["mqtt://a:s3cret@b"]})
    log.error("password=s3cret host=db")
    try:
        fail_with(OSError("mqtts://platform:s3cret@host:8883"))
    except OSError:
        log.exception("again")
    assert "s3cret" not in stream.getvalue()
    assert "me:***@db/h" in stream.getvalue()


def test_thread_that_nobody_caught_is_a_line_too(stream: io.StringIO) -> None:
    logs.configure("analyse", level="info", form="json", stream=stream)

    def fail() -> None:
        raise RuntimeError("boom")

    thread = threading.Thread(target=fail, name="rollups")
    hook, seen = threading.excepthook, threading.Event()

    def tell(told: threading.ExceptHookArgs) -> None:
        hook(told)
        seen.set()

    threading.excepthook = tell
    thread.start()
    thread.join()
    assert seen.is_set()
    (told,) = lines(stream)
    assert (told["level"], told["exception"]["message"]) == ("critical", "boom")
    assert "rollups" in told["message"]


def test_text_keeps_its_form(stream: io.StringIO) -> None:
    logs.configure("watch", level="warning", form="text", stream=stream)
    logging.getLogger("x").info("not told")
    logging.getLogger("x").warning("%s waits", "it")
    assert stream.getvalue().rstrip().endswith("watch WARNING it waits")


def test_end_of_a_verb_is_a_sentence_or_a_line(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("db", level="info", form="json", stream=stream)
    logs.failed("db", "no database: start one", form="json")
    assert lines(stream)[0]["message"] == "no database: start one"
    logs.failed("db", "no database: start one", form="text")
    assert capsys.readouterr().err == "hypervision db: no database: start one\n"
