//go:build string_keys

// Releases up to 1.29: the registry is keyed by the lower-cased name itself.

package main

import (
	"sync/atomic"
	_ "unsafe" // for go:linkname

	"go.temporal.io/server/common/dynamicconfig"
)

// The server's registry is not exported: this is the same variable under another name.
//
//go:linkname globalRegistry go.temporal.io/server/common/dynamicconfig.globalRegistry
var globalRegistry struct {
	settings map[string]dynamicconfig.GenericSetting
	queried  atomic.Bool
}

func load(contents []byte) (errors, warnings []error) {
	loaded := dynamicconfig.ValidateFile(contents)
	return loaded.Errors, loaded.Warnings
}
