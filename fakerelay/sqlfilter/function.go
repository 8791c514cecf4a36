package sqlfilter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// A function of expressions; it takes one argument or none.
type function struct {
	takes bool
	of    func(argument evaluation) evaluation
}

// functions by lower-case name. p is short for property.
var functions = map[string]function{
	"newid":    {false, func(evaluation) evaluation { return newID }},
	"property": {true, propertyNamed},
	"p":        {true, propertyNamed},
}

// Functions names the functions of expressions.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// propertyNamed is the function property(name).
func propertyNamed(name evaluation) evaluation {
	return func(m *Message) (any, error) {
		v, err := name(m)
		if v == nil || err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("property() takes a name, not %s", typeName(v))
		}
		p := property{name: text}
		if scope, rest, scoped := strings.Cut(text, "."); scoped && strings.EqualFold(scope, scopeSystem) {
			p = property{system: true, name: rest}
		} else if scoped && strings.EqualFold(scope, scopeUser) {
			p.name = rest
		}
		return p.value(m)
	}
}

func newID(*Message) (any, error) { return uuid.New(), nil }
