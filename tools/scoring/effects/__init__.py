"""What a promotion added: a randomised test where there was one, a synthetic control and a structural series else."""
