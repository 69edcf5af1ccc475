"""What the Temporal server knows: its dynamic-config settings by version, and how it reads them."""
