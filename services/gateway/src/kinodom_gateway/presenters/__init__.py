"""From contracts to what a template prints. Templates loop and print, nothing else."""
