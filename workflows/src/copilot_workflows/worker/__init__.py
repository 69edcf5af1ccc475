"""The agents process: the Temporal worker with all workflows, activities and agents."""
