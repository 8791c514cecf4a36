package sqlfilter

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
)

// MaxText is how many bytes a string that is calculated may have: those that the service allows a property.
const MaxText = 32 << 10

// normal makes int64 of whole numbers and float64 of others, as C# would widen them. Other types stay: string, bool,
// time.Time, time.Duration (a TimeSpan), uuid.UUID, []byte; anything else is comparable with nothing.
func normal(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		if v > math.MaxInt64 {
			return float64(v)
		}
		return int64(v)
	case float32:
		return float64(v)
	}
	return v
}

// Equal compares two values as = would; what cannot be compared is not equal.
func Equal(a, b any) bool {
	a, b = normal(a), normal(b)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	o, err := order(a, b, false)
	return err == nil && o == 0
}

// order compares two normal values: negative, 0, positive. Some types have no order, but equality.
func order(a, b any, ordered bool) (int, error) {
	switch a := a.(type) {
	case int64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, b), nil
		case float64:
			return cmp.Compare(float64(a), b), nil
		}
	case float64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, float64(b)), nil
		case float64:
			return cmp.Compare(a, b), nil
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), nil
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b), nil
		}
	case time.Duration:
		if b, ok := b.(time.Duration); ok {
			return cmp.Compare(a, b), nil
		}
	}
	if ordered {
		return 0, fmt.Errorf("%s and %s have no order", typeName(a), typeName(b))
	}
	return difference(a, b)
}

// difference is order for types without one.
func difference(a, b any) (int, error) {
	same := false
	switch a := a.(type) {
	case bool:
		other, ok := b.(bool)
		if !ok {
			return 0, incomparable(a, b)
		}
		same = a == other
	case uuid.UUID:
		other, ok := b.(uuid.UUID)
		if !ok {
			return 0, incomparable(a, b)
		}
		same = a == other
	case []byte:
		other, ok := b.([]byte)
		if !ok {
			return 0, incomparable(a, b)
		}
		same = bytes.Equal(a, other)
	default:
		return 0, incomparable(a, b)
	}
	if same {
		return 0, nil
	}
	return 1, nil
}

func incomparable(a, b any) error {
	return fmt.Errorf("%s cannot be compared with %s", typeName(a), typeName(b))
}

var (
	errDivideByZero = errors.New("division by zero")
	errOverflow     = errors.New("the result of a division is too large")
)

// calculate applies an operator to two normal values.
func calculate(operator string, a, b any) (any, error) {
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return calculateWhole(operator, x, y)
		case float64:
			return calculateFloat(operator, float64(x), y), nil
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return calculateFloat(operator, x, float64(y)), nil
		case float64:
			return calculateFloat(operator, x, y), nil
		}
	}
	if v, ok := calculateTime(operator, a, b); ok {
		return v, nil
	}
	_, aText := a.(string)
	_, bText := b.(string)
	if operator == "+" && (aText || bText) {
		return joined(textOf(a), textOf(b))
	}
	return nil, fmt.Errorf("%s %s %s cannot be calculated", typeName(a), operator, typeName(b))
}

// textOf is what C# makes of a value that is added to a string.
func textOf(v any) string {
	switch v {
	case true:
		return "True"
	case false:
		return "False"
	}
	return fmt.Sprint(v)
}

// joined bounds what an action can make of a property by adding it to itself.
func joined(a, b string) (any, error) {
	if len(a)+len(b) > MaxText {
		return nil, fmt.Errorf("the result would have %d bytes, %d are allowed", len(a)+len(b), MaxText)
	}
	return a + b, nil
}

// calculateWhole wraps around as C# does, but for divisions, which C# refuses.
func calculateWhole(operator string, x, y int64) (any, error) {
	switch operator {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	}
	switch {
	case y == 0:
		return nil, errDivideByZero
	case x == math.MinInt64 && y == -1:
		return nil, errOverflow
	case operator == "/":
		return x / y, nil
	}
	return x % y, nil
}

func calculateFloat(operator string, x, y float64) any {
	switch operator {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	}
	return math.Mod(x, y)
}

// calculateTime adds and subtracts points in time and lengths of it.
func calculateTime(operator string, a, b any) (any, bool) {
	sign := time.Duration(1)
	switch operator {
	case "-":
		sign = -1
	case "+":
	default:
		return nil, false
	}
	switch x := a.(type) {
	case time.Time:
		switch y := b.(type) {
		case time.Time:
			return x.Sub(y), operator == "-"
		case time.Duration:
			return x.Add(sign * y), true
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return x + sign*y, true
		}
	}
	return nil, false
}

// zeroOf is what a sign is applied to; for what has no sign, something that cannot be calculated with.
func zeroOf(v any) any {
	switch v.(type) {
	case float64:
		return 0.0
	case time.Duration:
		return time.Duration(0)
	case int64:
		return int64(0)
	}
	return false
}

var typeNames = map[string]string{
	"int64": "a whole number", "float64": "a number", "string": "a string", "bool": "a boolean",
	"time.Time": "a time", "time.Duration": "a length of time", "uuid.UUID": "a GUID", "[]uint8": "bytes",
}

func typeName(v any) string {
	if name, known := typeNames[fmt.Sprintf("%T", v)]; known {
		return name
	}
	return "a value of another type"
}
