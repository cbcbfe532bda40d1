"""Codes of second factors against the vectors of their RFC, drift, replay, and recovery codes."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from hypervision import totp

SECRET = b"12345678901234567890"
NOW = 1_764_000_015.0
STEP = int(NOW // totp.STEP)


@pytest.mark.parametrize(
    ("seconds", "code"),
    # RFC 6238, appendix B, SHA-1: the last six of the eight digits.
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_code_is_that_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET, seconds // totp.STEP) == code
    assert totp.step_of(SECRET, code, seconds=seconds, after=0) == seconds // totp.STEP


@pytest.mark.parametrize(("off", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_code_of_a_clock_that_is_a_step_off_counts_and_no_other(off: int, *, taken: bool) -> None:
    found = totp.step_of(SECRET, totp.code_at(SECRET, STEP + off), seconds=NOW, after=0)
    assert found == (STEP + off if taken else None)


def test_code_counts_once_and_none_before_it_counts_any_more() -> None:
    code = totp.code_at(SECRET, STEP)
    assert totp.step_of(SECRET, code, seconds=NOW, after=STEP - 1) == STEP
    assert totp.step_of(SECRET, code, seconds=NOW, after=STEP) is None
    assert totp.step_of(SECRET, totp.code_at(SECRET, STEP - 1), seconds=NOW, after=STEP) is None
    assert totp.step_of(SECRET, totp.code_at(SECRET, STEP + 1), seconds=NOW, after=STEP) == STEP + 1


@pytest.mark.parametrize("given", ["", "12345", "1234567", "12345a", "²²²²²²", "١٢٣٤٥٦", "-12345", "0x1234"])
def test_what_is_no_code_is_refused(given: str) -> None:
    assert totp.step_of(SECRET, given, seconds=NOW, after=0) is None


def test_code_may_be_typed_with_spaces() -> None:
    code = totp.code_at(SECRET, STEP)
    assert totp.step_of(SECRET, f" {code[:3]} {code[3:]} ", seconds=NOW, after=0) == STEP


def test_address_says_secret_issuer_and_account() -> None:
    parts = urlsplit(totp.address_of(SECRET, account="ana@town&x=1", issuer="Hyper vision"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    asked = parse_qs(parts.query)
    assert asked == {"secret": [base64.b32encode(SECRET).decode()], "issuer": ["Hyper vision"]}
    assert parts.path == "/Hyper%20vision:ana@town%26x%3D1"


def test_secrets_are_new_and_as_long_as_the_rfc_asks() -> None:
    assert len(totp.new_secret()) == 20
    assert totp.new_secret() != totp.new_secret()


def test_recovery_codes_are_different_and_read_however_they_are_typed() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    for code in codes:
        kept = totp.recovery_hash(code)
        assert kept is not None
        assert code.encode() not in kept
        assert totp.recovery_hash(code.upper().replace("-", " ")) == kept
        # No letter is taken for a digit.
        assert not set("ilou") & set(code)
    assert totp.recovery_hash("oil00-11111") == totp.recovery_hash("01100-11111")


@pytest.mark.parametrize("given", ["", "123456", "abcde-fghj", "abcde-fghjk1", "abcdu-fghjk", "abcdé-fghjk"])
def test_what_is_no_recovery_code_has_no_hash(given: str) -> None:
    assert totp.recovery_hash(given) is None
