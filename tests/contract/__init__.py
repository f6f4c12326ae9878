"""What every implementation of one thing must do, a fake of it included; and how threads meet."""
