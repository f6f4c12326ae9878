"""Data that tests feed in: pictures, streams, and files where none should be."""
