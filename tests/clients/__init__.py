"""Every line of docs/clients.md, with the programs it is for."""
