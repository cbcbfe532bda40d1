"""The embedded services of one machine: database, broker, and the small things both need."""
