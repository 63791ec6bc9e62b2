"""The milestones' long trainings in PyTorch: the same recipe, seed and batches; ours are timed by the milestones."""
