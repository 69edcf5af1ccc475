package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The registry may hold keys in lower case only; the source has them as their authors wrote them:
// the first argument of the call that registers a setting.
var constructor = regexp.MustCompile(`^New\w*Setting(With\w+)?$`)

type spellings map[string]string // lower-cased key to its spelling

func spellingsIn(packageDirs []string) spellings {
	out := spellings{}
	for _, dir := range packageDirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			fail(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				out.addFrom(file)
			}
		}
	}
	return out
}

func (s spellings) addFrom(path string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		fail(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && len(call.Args) > 2 && constructs(call) {
			s.add(call.Args[0])
		}
		return true
	})
}

func constructs(call *ast.CallExpr) bool {
	fun := call.Fun
	if generic, ok := fun.(*ast.IndexExpr); ok {
		fun = generic.X
	}
	switch fun := fun.(type) {
	case *ast.Ident:
		return constructor.MatchString(fun.Name)
	case *ast.SelectorExpr:
		return constructor.MatchString(fun.Sel.Name)
	}
	return false
}

func (s spellings) add(argument ast.Expr) {
	literal, ok := argument.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return
	}
	key, err := strconv.Unquote(literal.Value)
	if err != nil {
		fail(err)
	}
	if known, twice := s[strings.ToLower(key)]; twice && known != key {
		fail(fmt.Errorf("two spellings of one key: %q and %q", known, key))
	}
	s[strings.ToLower(key)] = key
}

func (s spellings) of(key string) string {
	spelling, known := s[strings.ToLower(key)]
	if !known {
		fail(fmt.Errorf("no call in the source registers %q by name", key))
	}
	return spelling
}
