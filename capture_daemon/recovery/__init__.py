"""Getting a camera back: which rung of the ladder is next, and carrying it out."""
