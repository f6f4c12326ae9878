"""The small privileged helper: resets the USB port of a camera, and can do nothing else."""
