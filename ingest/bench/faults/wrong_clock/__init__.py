"""A folder for PYTHONPATH: what stands in it makes the wall clock of one process wrong."""
