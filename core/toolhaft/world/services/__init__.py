"""The services of the world, one file each."""
