"""How viewers outlive their worker: their sockets go to another one through the kernel.

carried    what is known of a viewer, as one small document
channel    socket pairs that gunicorn's master makes: what is put in waits there for a worker
roster     which workers there are, and how many viewers each has; memory that all share
policy     who takes how many, who gives some away; pure
porter     does it, in a worker's event loop
shared     what of this the master makes before it forks
"""
