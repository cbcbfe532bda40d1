"""A commit whose answer was lost: it may have gone through, and is never done twice."""

from __future__ import annotations

from hypervision.batch import Batch, Receipt
from hypervision.store.writer import Writer


class Doubt:
    """The last commit, until its answer has arrived."""

    def __init__(self) -> None:
        self._last: tuple[Batch, str, int, Receipt] | None = None

    def __bool__(self) -> bool:
        """Whether an answer is missing."""
        return self._last is not None

    def begin(self, batch: Batch, transaction: str, commit_no: int, receipt: Receipt) -> None:
        """A commit is asked for, which makes this the writer's number."""
        self._last = (batch, transaction, commit_no, receipt)

    def end(self) -> None:
        """The answer has arrived."""
        self._last = None

    def settle(self, batch: Batch, writer: Writer) -> Receipt | None:
        """The receipt of a batch whose commit went through although its answer was lost.

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
            return None
        doubted, transaction, commit_no, receipt = self._last
        committed = writer.was_committed(transaction, commit_no)
        self._last = None
        return receipt if doubted is batch and committed else None
