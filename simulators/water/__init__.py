"""Drinking water: hydraulics of a real network, the sensors on it, leaks, bursts and worn pumps."""
