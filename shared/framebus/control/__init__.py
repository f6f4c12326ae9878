"""The control socket: protocol and client."""
