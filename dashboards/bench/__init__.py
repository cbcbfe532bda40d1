"""How long the queries and the screens take on a large town."""
