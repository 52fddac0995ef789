"""What touches disks, programs, stores and networks, behind the ports of the domain."""
