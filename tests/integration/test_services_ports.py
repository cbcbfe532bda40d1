"""Addresses and ports on which the platform is told to listen."""

from __future__ import annotations

import pytest

from hypervision.errors import ServiceError
from hypervision.services import ports

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("host", ["999.1.1.1", "a b", "192.0.2.1", "x" * 70 + ".local", "::zz"])
def test_host_that_is_no_address_of_this_machine_is_one_sentence(host: str) -> None:
    with pytest.raises(ServiceError, match=r"'http\.host' cannot be .*: give an address of this machine"):
        ports.check_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_host_of_this_machine_is_taken(host: str) -> None:
    ports.check_host(host)
