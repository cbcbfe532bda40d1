"""Measuring the collector on real services of its own."""
