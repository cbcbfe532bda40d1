"""What the alarm desk and its screens cost an operator: measured in a real browser before a real server."""
