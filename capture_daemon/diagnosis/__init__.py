"""What is the matter, and who is to blame: reads /proc, /sys and logs, and opens no camera."""
