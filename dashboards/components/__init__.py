"""Parts of pages: pure functions from the town and the words to components."""
