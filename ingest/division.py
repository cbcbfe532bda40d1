"""How a broker divides the traffic among collectors: topics that belong to one partition alone.

By Thing: the broker itself writes the partition of each message's Thing into its topic (NATS: a subject mapping with
`partition()`), `parts/4/1/urban/v1/water/pump-1/up`. By domain: every partition has some domains, and the filters
of plain MQTT divide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypervision.domains import catalogue_of
from hypervision.errors import SettingError
from hypervision.partitions import Partition
from hypervision.services.broker import PARTS
from hypervision.settings import Settings
from hypervision.topics import PREFIX

LEAVES: Final = ("up", "status", "ack")
# What an undivided session wants, all at QoS 1.
FILTERS: Final = tuple(f"{PREFIX}/+/+/{leaf}" for leaf in LEAVES)


def client_id(settings: Settings, partition: Partition) -> str:
    """Name a collector's session: it stays the same over restarts, and differs by installation and partition."""
    return f"{settings.installation}-collect-{partition.number}-{partition.of}"


def filters_of(settings: Settings, partition: Partition) -> tuple[str, ...]:
    """The topics of one partition.

    Raises
    ------
    SettingError
        There are more partitions than domains to divide.
    """
    if partition.whole:
        return FILTERS
    if settings.ingest.division == "thing":
        return tuple(f"{PARTS}/{partition.of}/{partition.number - 1}/{name}" for name in FILTERS)
    return tuple(f"{PREFIX}/{code}/+/{leaf}" for code in domains_of(settings, partition) for leaf in LEAVES)


def domains_of(settings: Settings, partition: Partition) -> list[str]:
    """The domains of one partition: in the order of their codes, one for each partition in turn."""
    return share(sorted(catalogue_of(settings)), partition)


def share(codes: Sequence[str], partition: Partition) -> list[str]:
    """Deal codes out like cards.

    Raises
    ------
    SettingError
        There are more partitions than codes.

    Examples
    --------
    >>> share(["lighting", "parking", "waste", "water"], Partition(of=3, number=1))
    ['lighting', 'water']
    """
    if partition.of > len(codes):
        raise SettingError(
            f"{len(codes)} domains cannot be divided into {partition.of} partitions",
            remedy="start fewer collectors, or let the broker divide by Thing (ingest.division)",
        )
    return list(codes[partition.number - 1 :: partition.of])


def plain(topic: str) -> str:
    """The device's own topic, whatever the broker wrote before it.

    Examples
    --------
    >>> plain("parts/4/1/urban/v1/water/pump-1/up")
    'urban/v1/water/pump-1/up'
    >>> plain("urban/v1/water/pump-1/up")
    'urban/v1/water/pump-1/up'
    """
    if topic.startswith(f"{PARTS}/"):
        return topic.split("/", 3)[-1]
    return topic
