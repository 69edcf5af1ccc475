package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.temporal.io/server/common/dynamicconfig"
)

// Field of dynamicconfig.Constraints to the name of the constraint in a file and a value for it.
var constraintFields = map[string]struct{ name, sample string }{
	"Namespace":     {"namespace", "some-namespace"},
	"NamespaceID":   {"namespaceID", "some-id"},
	"TaskQueueName": {"taskQueueName", "some-queue"},
	"TaskQueueType": {"taskType", "Workflow"},
	"ShardID":       {"shardID", "1"},
	"TaskType":      {"historyTaskType", "TransferWorkflowTask"},
	"Destination":   {"destination", "some-endpoint"},
	"ChasmTaskType": {"chasmTaskType", "some.task"},
}

// constraints asks the loader itself: it refuses a constraint that it does not know and warns of
// one that the scope of the setting does not take.
func constraints() map[string][]int {
	keyOfScope := map[int]string{}
	for _, registered := range globalRegistry.settings {
		keyOfScope[int(registered.Precedence())] = registered.Key().String()
	}
	out := map[string][]int{}
	fields := reflect.TypeFor[dynamicconfig.Constraints]()
	for i := range fields.NumField() {
		constraint, known := constraintFields[fields.Field(i).Name]
		if !known {
			fail(fmt.Errorf("a new constraint: %s", fields.Field(i).Name))
		}
		for scope, key := range keyOfScope {
			file := fmt.Sprintf("%q: [{value: 0, constraints: {%s: %s}}]", key, constraint.name, constraint.sample)
			errors, warnings := load([]byte(file))
			refused := slices.ContainsFunc(warnings, func(err error) bool {
				return strings.HasPrefix(err.Error(), "constraint ")
			})
			if len(errors) == 0 && !refused {
				out[constraint.name] = append(out[constraint.name], scope)
			}
		}
		slices.Sort(out[constraint.name])
	}
	return out
}
