"""A USB camera emulated in user space: USB/IP towards vhci_hcd, UVC 1.1 inside it.

usbip.py        the wire: headers, packet descriptors (pure)
vhci.py         attach and detach through sysfs
model.py        what a camera offers, as data
descriptors.py  a model as USB descriptors (pure)
controls.py     controls of the terminal and the units (pure)
negotiation.py  probe and commit (pure)
faults.py       what can go wrong, as data
pictures.py     the clip, and every picture's stamp
stream.py       pictures as payloads in bulk and isochronous URBs
device.py       one camera: URBs in, replies out
bench.py        the process that holds cameras and takes commands
client.py       what a test uses
"""
