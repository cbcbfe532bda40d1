from __future__ import annotations

from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from hypervision.errors import ServiceError, SettingError
from hypervision.settings import load
from ingest.session import Address, Session


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://h", Address("h", 1883)),
        ("mqtt://u:p%40@h:99", Address("h", 99, False, "u", "p@")),
        ("mqtts://h", Address("h", 8883, True)),
        ("mqtt://[::1]:5", Address("::1", 5)),
    ],
)
def test_url_is_read(url: str, expected: Address) -> None:
    assert Address.parse(url) == expected


@pytest.mark.parametrize(
    "url", ["", "http://h", "ssl://h", "tls://h", "mqtt://", "mqtt://h:port", "mqtt://h:99999", "secret-word@h"]
)
def test_wrong_url_is_one_sentence_without_the_secret(url: str) -> None:
    with pytest.raises(SettingError) as caught:
        Address.parse(url)
    assert "secret-word" not in str(caught.value)


def test_missing_url_names_key_and_remedy(tmp_path: Any) -> None:
    with pytest.raises(SettingError, match=r"mqtt_url.*HYPERVISION_MQTT_URL"):
        Address.of(load({}, overrides={"data_dir": tmp_path}))


def test_refused_filter_is_one_sentence_that_names_it() -> None:
    session = Session(Address("h", 1), client_id="c", filters=("a/+", "b/+"))
    granted = ReasonCode(PacketTypes.SUBACK, identifier=1)
    refused = ReasonCode(PacketTypes.SUBACK, identifier=0x80)
    session._subscribed(None, None, 1, [granted, granted], None)
    assert session.ready
    session.check()
    session.ready = False
    session._subscribed(None, None, 1, [granted, refused], None)
    assert not session.ready
    with pytest.raises(ServiceError, match=r"filters b/\+"):
        session.check()
