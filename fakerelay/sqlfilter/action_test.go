package sqlfilter_test

import (
	"reflect"
	"strings"
	"testing"

	"passback/fakerelay/sqlfilter"
)

func TestActions(t *testing.T) {
	type properties = map[string]any
	for text, want := range map[string]struct{ system, user properties }{
		"SET source='routedOrders'":             {nil, properties{"source": "routedOrders", "quantity": int32(10), "Color": "red"}},
		"SET quantity = quantity / 2;":          {nil, properties{"quantity": int32(5), "Color": "red"}},
		"SET QUANTITY = 1":                      {nil, properties{"quantity": int32(1), "Color": "red"}},
		"SET quantity = 3000000000":             {nil, properties{"quantity": int64(3_000_000_000), "Color": "red"}},
		"SET quantity = quantity * 1.5":         {nil, properties{"quantity": 15.0, "Color": "red"}},
		"REMOVE color":                          {nil, properties{"quantity": int32(10)}},
		"REMOVE missing":                        {nil, properties{"quantity": int32(10), "Color": "red"}},
		"SET a = 1; SET b = a + 1 REMOVE color": {nil, properties{"quantity": int32(10), "a": int64(1), "b": int64(2)}},
		"SET a = missing, SET b = NULL":         {nil, properties{"quantity": int32(10), "Color": "red", "a": nil, "b": nil}},
		"SET sys.Label = Color + '!'":           {properties{"label": "red!", "to": "x"}, properties{"quantity": int32(10), "Color": "red"}},
		"REMOVE sys.To":                         {properties{"label": "l", "to": nil}, properties{"quantity": int32(10), "Color": "red"}},
		"set [a b] = @p":                        {nil, properties{"quantity": int32(10), "Color": "red", "a b": "given"}},
	} {
		a, err := sqlfilter.ParseAction(text, map[string]any{"@p": "given"})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		m := &sqlfilter.Message{System: properties{"label": "l", "to": "x"}, User: properties{"quantity": int32(10), "Color": "red"}}
		if err := a.Apply(m); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if want.system == nil {
			want.system = properties{"label": "l", "to": "x"}
		}
		if !reflect.DeepEqual(m.System, want.system) || !reflect.DeepEqual(m.User, want.user) {
			t.Errorf("%s makes %v %v, want %v %v", text, m.System, m.User, want.system, want.user)
		}
	}
}

func TestActionsThatFail(t *testing.T) {
	doubling := "SET a = 'xxxxxxxxxxxxxxxx'" + strings.Repeat(" SET a = a + a", 31)
	for text, want := range map[string]string{
		"":                              "at character 1: there is the end where SET or REMOVE is expected",
		"UPDATE a":                      "at character 1: there is UPDATE where SET or REMOVE is expected",
		"SET a":                         "at character 6: there is the end where = is expected",
		"SET a = b = 1":                 "at character 11: there is = where SET or REMOVE is expected",
		"SET a = EXISTS(b)":             "at character 9: there is EXISTS where the name of a property is expected",
		"REMOVE 1":                      "at character 8: there is 1 where the name of a property is expected",
		strings.Repeat("REMOVE a ", 33): "at character 289: an action has 32 statements at most",
		"SET sys.Colour = 1":            "messages have no system property Colour",
		"SET a = 1 / 0":                 "division by zero",
		doubling:                        "the result would have 65536 bytes, 32768 are allowed",
	} {
		a, err := sqlfilter.ParseAction(text, nil)
		if err == nil {
			err = a.Apply(sqlfilter.NewMessage())
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
