"""Who is let in, and for how long: half-open requests, slow readers, limits on viewers."""
