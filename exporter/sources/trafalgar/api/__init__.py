"""The face that Trafalgar had: what its four programs answered, from what was last read."""
