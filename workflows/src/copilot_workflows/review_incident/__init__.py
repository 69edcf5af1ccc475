"""An incident that has ended, told from its beginning: workflow id = `incident-` and the id of the
transition that ended it."""
