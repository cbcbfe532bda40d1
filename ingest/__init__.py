"""MQTT to readings: collector, decoders, acknowledgement."""
