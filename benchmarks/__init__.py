"""What the README's figures come from: framebus, the floor under it and its peers, side by side."""
