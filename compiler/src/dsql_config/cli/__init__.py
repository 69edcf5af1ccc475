"""The command `temporal-dsql-config`: one file a command, or a small group of them."""
