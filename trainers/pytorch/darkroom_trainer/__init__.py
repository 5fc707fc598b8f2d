"""Trains image models on PyTorch for Darkroom, as a job that knows the job contract and nothing else."""
