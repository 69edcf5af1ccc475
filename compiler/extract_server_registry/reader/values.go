package main

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

var (
	durationType  = reflect.TypeFor[time.Duration]()
	timeType      = reflect.TypeFor[time.Time]()
	regexpType    = reflect.TypeFor[*regexp.Regexp]()
	protoEnumType = reflect.TypeFor[protoreflect.Enum]()
)

// schema is a Go type as far as mapstructure looks at it when it decodes a value of the file.
type schema struct {
	// bool, int…uint64, float32, float64, string, duration, time, enum, struct, list, array, map,
	// pointer, any, interface (with methods), func, or opaque: a type that refers to itself or that
	// only a converter of its own can build.
	Kind   string           `json:"kind"`
	Name   string           `json:"name,omitempty"`   // of struct, enum, interface, opaque
	Fields []field          `json:"fields,omitempty"` // of struct
	Values map[string]int32 `json:"values,omitempty"` // of enum
	Key    *schema          `json:"key,omitempty"`    // of map
	Of     *schema          `json:"of,omitempty"`     // of list, array, map, pointer
	Length int              `json:"length,omitempty"` // of array
}

type field struct {
	Name       string `json:"name"`
	Tag        string `json:"tag,omitempty"` // of mapstructure
	Embedded   bool   `json:"embedded,omitempty"`
	Unexported bool   `json:"unexported,omitempty"`
	Schema     schema `json:"schema"`
}

// schemaOf describes t; within holds the types that it is part of, to end at one that recurs.
func schemaOf(t reflect.Type, within ...reflect.Type) schema {
	if _, hooked := t.MethodByName("DynamicConfigParseHook"); hooked {
		fail(fmt.Errorf("%s has a DynamicConfigParseHook: the schema has no word for it yet", t))
	}
	switch {
	case t == durationType:
		return schema{Kind: "duration"}
	case t == timeType:
		return schema{Kind: "time"}
	case t == regexpType || slices.Contains(within, t):
		return schema{Kind: "opaque", Name: t.String()}
	case t.Implements(protoEnumType):
		return schema{Kind: "enum", Name: t.String(), Values: enumValues(t)}
	}
	part := func(of reflect.Type) *schema {
		out := schemaOf(of, append(within, t)...)
		return &out
	}
	switch t.Kind() {
	case reflect.Struct:
		out := schema{Kind: "struct", Name: t.String()}
		for i := range t.NumField() {
			f := t.Field(i)
			out.Fields = append(out.Fields, field{
				Name:       f.Name,
				Tag:        f.Tag.Get("mapstructure"),
				Embedded:   f.Anonymous,
				Unexported: !f.IsExported(),
				Schema:     *part(f.Type),
			})
		}
		return out
	case reflect.Slice:
		return schema{Kind: "list", Of: part(t.Elem())}
	case reflect.Array:
		return schema{Kind: "array", Of: part(t.Elem()), Length: t.Len()}
	case reflect.Map:
		return schema{Kind: "map", Key: part(t.Key()), Of: part(t.Elem())}
	case reflect.Pointer:
		return schema{Kind: "pointer", Of: part(t.Elem())}
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return schema{Kind: "any"}
		}
		return schema{Kind: "interface", Name: t.String()}
	case reflect.Func:
		return schema{Kind: "func", Name: t.String()}
	case reflect.Chan, reflect.UnsafePointer:
		return schema{Kind: "opaque", Name: t.String()}
	default:
		return schema{Kind: t.Kind().String()}
	}
}

func enumValues(t reflect.Type) map[string]int32 {
	values := reflect.New(t).Interface().(protoreflect.Enum).Descriptor().Values()
	out := map[string]int32{}
	for i := range values.Len() {
		out[string(values.Get(i).Name())] = int32(values.Get(i).Number())
	}
	return out
}

// plain is a Go value as JSON: durations as Go writes them, enums by name, regular expressions as
// text, structs as objects, nil of any kind as null, a float that JSON lacks as text.
func plain(v reflect.Value) any {
	switch {
	case v.Type() == durationType:
		return time.Duration(v.Int()).String()
	case v.Type() == timeType:
		if !v.IsZero() {
			fail(fmt.Errorf("a default of type time that is not zero: %v", v))
		}
		return nil
	case v.Type() == regexpType:
		if v.IsNil() {
			return nil
		}
		return fmt.Sprint(v)
	case v.Type().Implements(protoEnumType):
		return enumName(v)
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		if math.IsInf(v.Float(), 0) || math.IsNaN(v.Float()) {
			return fmt.Sprint(v.Float())
		}
		bits := v.Type().Bits() // as written in the source: 0.33, not 0.33000001311302185
		return json.Number(strconv.FormatFloat(v.Float(), 'g', -1, bits))
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			out[v.Type().Field(i).Name] = plain(v.Field(i))
		}
		return out
	}
	return plainReference(v)
}

func plainReference(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Array:
		return plainList(v)
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		return plainList(v)
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		out := map[string]any{}
		for i := v.MapRange(); i.Next(); {
			out[fmt.Sprint(plain(i.Key()))] = plain(i.Value())
		}
		return out
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	default:
		if v.IsNil() {
			return nil
		}
		return v.Type().String()
	}
}

func plainList(v reflect.Value) any {
	out := []any{}
	for i := range v.Len() {
		out = append(out, plain(v.Index(i)))
	}
	return out
}

func enumName(v reflect.Value) string {
	for name, number := range enumValues(v.Type()) {
		if int64(number) == v.Int() {
			return name
		}
	}
	return fmt.Sprint(v.Int())
}
