"""Detectors that write their scores as observations."""
