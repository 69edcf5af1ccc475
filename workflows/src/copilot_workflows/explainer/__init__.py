"""The explainer: follows the log and words every transition by rule, within a second."""
