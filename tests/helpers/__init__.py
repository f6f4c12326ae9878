"""What a test of any kind may need: waiting, processes, strict readers of what programs say."""
