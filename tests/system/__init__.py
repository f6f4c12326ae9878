"""The product as processes, on this machine."""
