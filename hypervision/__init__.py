"""The core: what a city is and what is wrong with it."""
