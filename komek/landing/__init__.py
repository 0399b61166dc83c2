"""What the sources delivered, kept as it came."""
