"""How long the queues of a collector are, for its figures."""

from __future__ import annotations

from hypervision.metrics import Metrics
from ingest.assembly import Assembly
from ingest.committer import Committer
from ingest.held import Held
from ingest.outages import Outages


def register(metrics: Metrics, *, held: Held, assembly: Assembly, committer: Committer, outages: Outages) -> None:
    """Let the figures ask for each queue at every beat; nothing is counted on the way of a message."""
    lengths = {
        "held": lambda: len(held),
        "assembly": lambda: len(assembly),
        "batches": lambda: committer.waiting,
        "acknowledgements": lambda: len(committer.done),
        "anonymous": lambda: held.remembered,
        "outages": lambda: len(outages),
    }
    for queue, length in lengths.items():
        metrics.gauge("queue_length", length, label=queue)
