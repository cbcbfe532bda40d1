"""A commit whose answer was lost: it may have gone through, and is never done twice."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hypervision.batch import Batch, Receipt
from hypervision.errors import StoreError, TemporaryStoreError
from hypervision.store.connection import mapped, roll_back
from hypervision.store.writer import Writer

_log = logging.getLogger(__name__)


class Doubt:
    """The last commit, until its answer has arrived."""

    def __init__(self) -> None:
        self._last: tuple[Batch, str, int, Receipt] | None = None
        self._through: tuple[Batch, Receipt] | None = None

    def __bool__(self) -> bool:
        """Whether an answer is missing."""
        return self._last is not None

    def begin(self, batch: Batch, transaction: str, commit_no: int, receipt: Receipt) -> None:
        """A commit is asked for, which makes this the writer's number."""
        self._last = (batch, transaction, commit_no, receipt)

    def end(self) -> None:
        """The answer has arrived, and all that follows from it is done."""
        self._last = None

    def settle(self, writer: Writer) -> None:
        """Ask what became of the last commit, before this writer does anything else.

        Notes
        -----
        Neither sign is enough. The writer's number may be that of a namesake which went on meanwhile. The number of a
        transaction of which nothing had reached the disk is given again after a crash of the server, for example to
        the statement that opens this writer; that one commits, and would speak for a batch that is lost.

        Raises
        ------
        TemporaryStoreError
            The database has not settled that commit yet.
        """
        if self._last is None:
            return
        batch, transaction, commit_no, receipt = self._last
        try:
            with mapped():
                committed = writer.was_committed(transaction, commit_no)
        finally:
            # The question is a transaction of its own, and must not stay open.
            roll_back(writer.connection)
        self._last = None
        self._through = (batch, receipt) if committed else None

    def receipt_of(self, batch: Batch) -> Receipt | None:
        """The receipt of a batch whose commit went through although its answer was lost; once."""
        through, self._through = self._through, None
        return through[1] if through is not None and through[0] is batch else None

    def after(self, error: BaseException, batch: Batch, attached: Callable[[], Writer]) -> Receipt | None:
        """The receipt of a batch that failed in its commit or after it, if that went through.

        Parameters
        ----------
        attached : callable
            Gives the writer, with the doubt settled.

        Raises
        ------
        TemporaryStoreError
            Nobody knows yet; whoever took the batch apart now might store it twice.
        """
        if not self or not isinstance(error, Exception):
            return None
        try:
            with mapped():
                writer = attached()
        except StoreError as unknown:
            raise TemporaryStoreError(f"whether the last batch is stored is not known ({unknown})") from error
        receipt = self.receipt_of(batch)
        if receipt is not None:
            _log.warning("a batch is stored although its commit failed (%s)", error)
            # Who connects anew forgets what it believed.
            writer.connection.close()
        return receipt
