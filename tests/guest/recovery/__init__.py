"""The measuring apparatus behind docs/recovery.md; no part of the product.

Every fault in every state, on the real driver, with viewers watching.

steps.py     what can be done in a case, as data (pure)
cases.py     what a fault and a case are (pure)
durations.py faults that last so long and are then over (pure)
table.py     all faults (pure)
watching.py  what the daemon's status tells of a case (pure)
results.py   what one case measured, and the figures over many (pure)
rows.py      frames in a row: when a stream counts as back (pure)
report.py    the table as docs/recovery.md has it (pure); lasted.py that of the durations
host.py      boots guests, collects results, resumes
inside.py    what runs in the guest: case after case
measure.py   one case: its course, then watching and judging
course.py    to the state, the fault, what mends it
stage.py     camera, stack, viewers and rivals: what the steps of a case act on
commands.py  the control socket
stack.py     the daemon, its keeper and the web tier, as processes
evidence.py  what is kept of a failure
observer.py  the thread that watches frames, events and viewers
viewers.py   HTTP clients
rivals.py    processes that hold the camera; rival.py is one of them
leftovers.py descriptors, mappings, segments, files and processes
"""
