// Package imports names what generated code may import: go.sum holds it, and setup compiles it.
//
// Modules that the Temporal server needs too are required in the server's versions, so that what
// building the server compiled is not compiled again.
package imports

import (
	_ "go.temporal.io/sdk/activity"
	_ "go.temporal.io/sdk/client"
	_ "go.temporal.io/sdk/worker"
	_ "go.temporal.io/sdk/workflow"
)
