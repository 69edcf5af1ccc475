"""What every process shares: structured logs, its own metrics, liveness, and a clean stop."""
