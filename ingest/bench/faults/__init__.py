"""Faults on a seeded schedule, with a ledger and a verdict (after Jepsen): `scripts/faults.py`, `make faults`."""
