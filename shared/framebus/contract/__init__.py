"""The JSON contract: control methods, the status document, and the words in both.

The daemon, the command line, the web tier, the tests and docs/control.md go by what stands here,
and by nothing else. It knows no type of the daemon's or of the web tier's, and imports little:
`framebus ctl` is a program that starts and ends.
"""
