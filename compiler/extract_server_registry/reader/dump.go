package main

import (
	"fmt"
	"reflect"
	"runtime"
	"sort"
	"unsafe"

	enumspb "go.temporal.io/api/enums/v1"
	enumsspb "go.temporal.io/server/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

type registry struct {
	Settings []setting `json:"settings"`
	// Names of the constraints that the loader takes, each with the scopes that it is valid for.
	Constraints map[string][]int `json:"constraints"`
	// Names that the loader takes as strings for the two constraints that are enums.
	TaskQueueTypes   map[string]int32 `json:"task_queue_types"`
	HistoryTaskTypes map[string]int32 `json:"history_task_types"`
}

type setting struct {
	Key         string        `json:"key"`
	Scope       int           `json:"scope"` // dynamicconfig.Precedence
	GoType      string        `json:"go_type"`
	Converter   string        `json:"converter"` // Go name of the conversion function
	Default     any           `json:"default"`
	Constrained []constrained `json:"constrained,omitempty"`
	Schema      schema        `json:"schema"`
}

type constrained struct {
	Constraints map[string]any `json:"constraints"`
	Value       any            `json:"value"`
}

func dump(packageDirs []string) registry {
	spellings := spellingsIn(packageDirs)
	out := registry{
		TaskQueueTypes:   names(enumspb.TaskQueueType_value, enumspb.TaskQueueType_shorthandValue),
		HistoryTaskTypes: names(enumsspb.TaskType_value, enumsspb.TaskType_shorthandValue),
	}
	out.Constraints = constraints()
	for _, registered := range globalRegistry.settings {
		one := read(registered)
		one.Key = spellings.of(registered.Key().String())
		out.Settings = append(out.Settings, one)
	}
	sort.Slice(out.Settings, func(i, j int) bool { return out.Settings[i].Key < out.Settings[j].Key })
	return out
}

// Every kind of setting is a struct with the unexported fields def or cdef, and convert.
func read(registered dynamicconfig.GenericSetting) setting {
	value := reflect.New(reflect.TypeOf(registered)).Elem()
	value.Set(reflect.ValueOf(registered))

	convert := opened(value.FieldByName("convert"))
	goType := convert.Type().Out(0)
	out := setting{
		Scope:     int(registered.Precedence()),
		GoType:    goType.String(),
		Converter: runtime.FuncForPC(convert.Pointer()).Name(),
		Schema:    schemaOf(goType),
	}
	if cdef := defaultsByConstraint(value); cdef.IsValid() {
		for i := range cdef.Len() {
			row := cdef.Index(i)
			out.Constrained = append(out.Constrained, constrained{
				Constraints: nonZeroFields(row.FieldByName("Constraints")),
				Value:       plain(row.FieldByName("Value")),
			})
		}
	} else {
		out.Default = plain(opened(value.FieldByName("def")))
	}
	return out
}

// The list of constrained defaults: a field of its own type of setting since 1.29, a pointer that
// may be nil before.
func defaultsByConstraint(value reflect.Value) reflect.Value {
	cdef := value.FieldByName("cdef")
	if !cdef.IsValid() {
		return cdef
	}
	cdef = opened(cdef)
	if cdef.Kind() == reflect.Pointer {
		return cdef.Elem()
	}
	return cdef
}

// The field without the mark that reflection puts on unexported ones, which forbids Interface().
func opened(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

func nonZeroFields(constraints reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range constraints.NumField() {
		if field := constraints.Field(i); !field.IsZero() {
			out[constraints.Type().Field(i).Name] = plain(field)
		}
	}
	return out
}

func names(tables ...map[string]int32) map[string]int32 {
	out := map[string]int32{}
	for _, table := range tables {
		for name, number := range table {
			if known, twice := out[name]; twice && known != number {
				fail(fmt.Errorf("%s is both %d and %d", name, known, number))
			}
			out[name] = number
		}
	}
	return out
}
