"""The checks at the door and of the result."""
