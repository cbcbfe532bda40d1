"""Waste: bins that fill by the hour of the week, rounds that empty them, fires and overflows."""
