"""The pages: each has a layout and draws its live parts; both are pure functions of a scene."""
