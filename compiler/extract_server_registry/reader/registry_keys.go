//go:build !string_keys

// Releases from 1.30: the registry is keyed by dynamicconfig.Key, a handle of the lower-cased name.

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
	settings map[dynamicconfig.Key]dynamicconfig.GenericSetting
	queried  atomic.Bool
}

func load(contents []byte) (errors, warnings []error) {
	loaded := dynamicconfig.LoadYamlFile(contents)
	return loaded.Errors, loaded.Warnings
}
