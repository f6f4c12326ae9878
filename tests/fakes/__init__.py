"""Stand-ins for what is outside: devices, servers, peers, and whoever carries out a rung."""
