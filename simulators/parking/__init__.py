"""Parking: cars that arrive by the hour of the week, stay a while and leave."""
