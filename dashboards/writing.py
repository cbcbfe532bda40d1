"""Readings over HTTP: the server's own writer, one thread that owns its intake and beats each second."""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dashboards.live import utc_now
from hypervision import topics
from hypervision.batch import Draft, Receipt
from hypervision.clock import from_us, to_us
from hypervision.decoding import bounds_of, decoder
from hypervision.errors import StoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.settings import Settings

log = logging.getLogger(__name__)

NAME: Final = "http"
_BEAT: Final = 1.0
_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one POST: the receipt, and by what topic and instant its refusals are found."""

    receipt: Receipt
    topic: str
    at: datetime


@dataclass(slots=True)
class _Job:
    domain: str
    thing: str
    payload: bytes
    done: Future[Taken]


class HttpWriter:
    """Commits what is posted, in the order it came.

    Parameters
    ----------
    settings : Settings
        For intake and decoder.

    Attributes
    ----------
    ready : bool
        Whether the database takes readings now.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._jobs: queue.Queue[_Job] = queue.Queue(_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="http-writer", daemon=True)
        self.ready = False

    def start(self) -> None:
        """Begin; the database may still be away."""
        self._thread.start()

    def stop(self) -> None:
        """End after the job in hand."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def post(self, domain: str, thing: str, payload: bytes) -> Future[Taken]:
        """Hand one message over.

        Raises
        ------
        TemporaryStoreError
            The database is away, or too many wait already.
        """
        if not self.ready:
            raise TemporaryStoreError("the database cannot take readings now", remedy="send them again later")
        job = _Job(domain, thing, payload, Future())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise TemporaryStoreError("too many readings wait already", remedy="send fewer at a time") from None
        return job.done

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with Intake.open(self._settings, writer=NAME, wait=5.0) as intake:
                    self.ready = True
                    self._serve(intake)
            except StoreError as error:
                log.warning("readings over HTTP wait: %s", error)
                self._stop.wait(_BEAT)
            except Exception:
                log.exception("a reading over HTTP broke its writer: it begins anew")
                self._stop.wait(_BEAT)
            finally:
                self.ready = False

    def _serve(self, intake: Intake) -> None:
        due = 0.0
        decode = decoder("urban")
        bounds = bounds_of(self._settings)
        while not self._stop.is_set():
            if time.monotonic() >= due:
                intake.beat()
                due = time.monotonic() + _BEAT
            try:
                job = self._jobs.get(timeout=max(due - time.monotonic(), 0.0))
            except queue.Empty:
                continue
            now = utc_now()
            draft, topic = Draft(), topics.up(job.domain, job.thing)
            try:
                decode(
                    [topic],
                    [job.payload],
                    received_us=to_us(now),
                    draft=draft,
                    streams=intake.streams,
                    bounds=bounds,
                )
                batch = draft.close()
                receipt = intake.commit(batch, now=now)
            except Exception as error:
                # Whoever waits is told; what the intake holds is in doubt, so that it is opened anew.
                job.done.set_exception(error)
                raise
            # A message without a time has the receipt that its decoder gave it.
            at = from_us(int(batch.received_us[0])) if batch.messages else now
            job.done.set_result(Taken(receipt, topic, at))
