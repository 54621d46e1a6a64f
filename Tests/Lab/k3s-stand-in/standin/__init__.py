"""The k3s stand-in: keeps k3s's rules on real machines without containers."""
