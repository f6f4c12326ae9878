"""Any input: it is taken, or refused with the error that is said, and nothing else happens."""
