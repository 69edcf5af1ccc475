// Reads the dynamic-config registry of one Temporal server release, in the server's own code.
//
// The program is linked with everything that the server's main package imports (imports.go, written
// by extract.py for each release), so the registry in memory is the server's: settings registered
// outside constants.go are in it, settings of packages that the server does not link are not.
//
//	reader dump PACKAGE_DIR...   the registry as JSON on standard output; the folders are the sources
//	                             of the linked packages, from which the spelling of keys is taken
//	reader validate FILE...      what the server's loader says of each file, one JSON object a line:
//	                             {"file", "errors": [...], "warnings": [...]}, each list sorted
//	                             because the loader walks a Go map
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

type verdict struct {
	File     string   `json:"file"`
	Errors   []string `json:"errors"`
	Warnings []string `json:"warnings"`
}

func main() {
	switch {
	case len(os.Args) > 2 && os.Args[1] == "dump":
		write(dump(os.Args[2:]))
	case len(os.Args) > 2 && os.Args[1] == "validate":
		for _, file := range os.Args[2:] {
			contents, err := os.ReadFile(file)
			if err != nil {
				fail(err)
			}
			errors, warnings := load(contents)
			write(verdict{File: file, Errors: texts(errors), Warnings: texts(warnings)})
		}
	default:
		fail(fmt.Errorf("usage: %s dump PACKAGE_DIR... | validate FILE...", os.Args[0]))
	}
}

func texts(errs []error) []string {
	out := []string{}
	for _, err := range errs {
		out = append(out, err.Error())
	}
	sort.Strings(out)
	return out
}

func write(v any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
