"""The core's verbs, one file each: options and what they do."""
