"""The V4L2 source: discovery, session, controls."""
