"""Programs that tests start as processes of their own: ours, and those of others."""
