"""Devices of a town, their physics and their faults."""
