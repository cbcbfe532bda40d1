"""Street lighting: cabinets that follow the sun, their lamps, dimming by night, energy and failures."""
