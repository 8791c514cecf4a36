package sqlfilter_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"passback/fakerelay/sqlfilter"
)

// order is the message that the examples are evaluated for.
func order() *sqlfilter.Message {
	return &sqlfilter.Message{
		System: map[string]any{
			"label": "omnibus news", "messageid": "xxxx", "correlationid": "abc-1", "to": "Store5", "replyto": nil,
			"timetolive": time.Hour,
		},
		User: map[string]any{
			"MessageProperty": int32(3), "MessageProperty2": int64(3), "SuperHero": "SuperManX", "StoreId": "Store8",
			"http://schemas.microsoft.com/xrm/2011/Claims/EntityLogicalName": "account", "Property With Space": "a b",
			"HR-EmployeeID": uint16(7), "price": 2.5, "urgent": true, "nothing": nil, "code": "ABC%", "quote": "it's",
			"DateTimeMp":  time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
			"DateTimeMp2": time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC),
			"id":          uuid.MustParse("7d444840-9dc0-11d1-b245-5ffdce74fad2"), "tag": "queue",
		},
	}
}

// The examples of the documentation come first, then a case for each sentence of its semantics.
func TestFilters(t *testing.T) {
	parameters := map[string]any{
		"@dtParam": time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), "timespan": 24 * time.Hour, "@stringParam": "queue",
	}
	for text, want := range map[string]bool{
		"1=1":                                      true,
		"1=0":                                      false,
		"sys.Label LIKE '%bus%'":                   true,
		"sys.messageid = 'xxxx'":                   true,
		"sys.correlationid like 'abc-%'":           true,
		"SuperHero like 'SuperMan%'":               true,
		"SuperHero like 'superman%'":               false,
		"MessageProperty = 1":                      false,
		"MessageProperty > 1":                      true,
		"MessageProperty > 2.08":                   true,
		"MessageProperty = 3 AND price = 2.5":      true,
		"MessageProperty = 1 OR price < 3":         true,
		"DateTimeMp < @dtParam":                    true,
		"DateTimeMp > @dtParam":                    false,
		"(DateTimeMp2-DateTimeMp) <= @timespan":    true,
		"DateTimeMp2-DateTimeMp < @timespan":       false,
		"StoreId IN('Store1', 'Store2', 'Store3')": false,
		"sys.To IN ('Store5','Store6','Store7') OR StoreId = 'Store9'":                 true,
		"sys.To NOT IN ('Store1','Store5') OR StoreId NOT IN ('Store1')":               true,
		"sys.Label LIKE '%bus%' OR user.tag IN ('queue', 'topic')":                     true,
		"user.tag = @stringParam":                                                      true,
		"user.TAG = @STRINGPARAM":                                                      true,
		`"http://schemas.microsoft.com/xrm/2011/Claims/EntityLogicalName" = 'account'`: true,
		"[Property With Space] = 'a b' AND user.[HR-EmployeeID] = 7":                   true,
		`code LIKE 'ABC\%' ESCAPE '\'`:                                                 true,
		`code LIKE 'ABC\\%' ESCAPE '\'`:                                                false,
		`code LIKE 'AB\_%' ESCAPE '\'`:                                                 false,
		"code LIKE 'AB_%'":                                                             true,
		"code LIKE 'ABC'":                                                              false,
		"quote = 'it''s'":                                                              true,
		"price = 0.25E1 and price = 2.5e0":                                             true,

		// Null and unknown.
		"missing IS NULL":              true,
		"nothing IS NULL":              true,
		"tag IS NOT NULL":              true,
		"sys.ReplyTo IS NULL":          true,
		"EXISTS(tag)":                  true,
		"EXISTS(missing)":              false,
		"EXISTS(nothing)":              true,
		"NOT EXISTS(sys.ReplyTo)":      true,
		"missing = 1":                  false,
		"NOT missing = 1":              false,
		"missing <> 1":                 false,
		"missing = missing":            false,
		"nothing = NULL":               false,
		"missing = 1 OR tag = 'queue'": true,
		"NOT (missing = 1 AND 1 = 0)":  true,
		"NOT (missing = 1 OR 1 = 0)":   false,
		"missing LIKE '%'":             false,
		"NOT missing LIKE '%'":         false,
		"missing NOT LIKE 'a'":         false,
		"missing NOT IN ('a')":         false,
		"tag NOT IN ('a', missing)":    false,
		"tag IN (missing, 'queue')":    true,
		"missing + 1 = 1":              false,
		"-missing = 1":                 false,

		// Operators.
		"MessageProperty + MessageProperty2 = 6":      true,
		"7 / 2 = 3 AND 7.0 / 2 = 3.5":                 true,
		"7 % 4 = 3 AND -7 % 4 = -3":                   true,
		"1 + 2 * 3 = 7 AND (1 + 2) * 3 = 9":           true,
		"+1 - -1 = 2":                                 true,
		"tag + 's' = 'queues' AND tag + 1 = 'queue1'": true,
		"1 = 1.0":                               true,
		"urgent = TRUE AND urgent != false":     true,
		"'a' < 'b' AND 'B' < 'a'":               true,
		"1 = 0 AND 1 = 0 OR 1 = 1":              true, // AND binds closer
		"NOT 1 = 0 AND 1 = 1":                   true, // NOT binds closest
		"DateTimeMp + @timespan = DateTimeMp2":  true,
		"sys.TimeToLive < @timespan":            true,
		"newid() <> newid()":                    true,
		"id = id AND NOT id = newid()":          true,
		"property('tag') = 'queue'":             true,
		"p('Property' + ' With Space') = 'a b'": true,
		"p('sys.Label') = p('SYS.label')":       true,
		"p('user.tag') = tag":                   true,
		"p('missing') = 1":                      false,
	} {
		f, err := sqlfilter.ParseFilter(text, parameters)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := f.Matches(order()); got != want {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
}

func TestFiltersThatCannotBeParsed(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "at character 1: there is the end where the name of a property is expected",
		"color":                    "at character 1: there is a value where a condition is expected",
		"color = ":                 "at character 9: there is the end where the name of a property is expected",
		"color = 'blue":            "at character 9: there is no closing '",
		"[color = 1":               "at character 1: there is no closing ]",
		"color = 'blue' quantity":  "at character 16: there is quantity where the end, AND or OR is expected",
		"a = 1 AND b":              "at character 11: there is a value where a condition is expected",
		"NOT b":                    "at character 5: there is a value where a condition is expected",
		"(a = 1) + 1 = 2":          "at character 1: there is a condition where a value is expected",
		"a = (b = 1)":              "at character 5: there is a condition where a value is expected",
		"a IN 1":                   "at character 6: there is 1 where ( is expected",
		"a IN ()":                  "at character 7: there is ) where the name of a property is expected",
		"a NOT = 1":                "at character 7: there is = where IN or LIKE is expected",
		"a + 1 IS NULL":            "at character 1: only a property can be asked whether it IS NULL",
		"(a) IS NULL":              "at character 1: there is ( where the name of a property is expected",
		"a IS 1":                   "at character 6: there is 1 where NULL is expected",
		"in = 1":                   "at character 1: there is in where the name of a property is expected",
		"a.b = 1":                  "at character 1: the scope a is not known: there are sys and user",
		"a = @b":                   "at character 5: the parameter @b has no value",
		"a = f(1)":                 "at character 5: the function f is not known: there are newid, p, property",
		"a = 1 & b = 2":            "at character 7: '&' does not belong to the language",
		"a = 9223372036854775808":  "at character 5: the number 9223372036854775808 is too large",
		"a = 1E999":                "at character 5: the number 1E999 is too large",
		"a = '\xff'":               "at character 1: the expression is not UTF-8",
		strings.Repeat(" ", 1025):  "at character 1025: the expression has more than 1024 characters",
		"a LIKE 'b\\' ESCAPE '\\'": "at character 8: the pattern of LIKE ends with its escape character, which leaves nothing to escape",
		"a LIKE 'b' ESCAPE 'cd'":   "at character 8: the escape character of LIKE must be one character",
		"a NOT LIKE 1":             "at character 12: LIKE takes strings, not a whole number",
		"SET a = 1":                "at character 1: there is a value where a condition is expected",
	} {
		_, err := sqlfilter.ParseFilter(text, nil)
		var e *sqlfilter.SyntaxError
		if !errors.As(err, &e) || e.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestFiltersThatCannotBeEvaluated(t *testing.T) {
	for text, want := range map[string]string{
		"sys.Colour = 1":           "messages have no system property Colour",
		"sys.Colour IS NULL":       "messages have no system property Colour",
		"MessageProperty = 'A'":    "a whole number cannot be compared with a string",
		"MessageProperty > 'A'":    "a whole number and a string have no order",
		"urgent > FALSE":           "a boolean and a boolean have no order",
		"MessageProperty / 0 = 1":  "division by zero",
		"MessageProperty % 0 = 1":  "division by zero",
		"tag * 2 = 1":              "a string * a whole number cannot be calculated",
		"-tag = 1":                 "a boolean - a string cannot be calculated",
		"tag LIKE MessageProperty": "LIKE takes strings, not a whole number",
		"tag LIKE 'a' ESCAPE tag":  "the escape character of LIKE must be one character",
		"tag LIKE tag ESCAPE 'e'":  "the pattern of LIKE ends with its escape character, which leaves nothing to escape",
		"p(1) = 1":                 "property() takes a name, not a whole number",
	} {
		f, err := sqlfilter.ParseFilter(text, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := f.Matches(order()); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// What one side decides, an error on the other does not undo.
func TestLogicStopsEarly(t *testing.T) {
	for _, text := range []string{"1 = 1 OR sys.Colour = 1", "NOT (1 = 0 AND sys.Colour = 1)"} {
		f, err := sqlfilter.ParseFilter(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := f.Matches(order()); !ok || err != nil {
			t.Errorf("%s: got %v, %v", text, ok, err)
		}
	}
}

// LIKE against package regexp.
func FuzzLike(f *testing.F) {
	f.Add("omnibus", "%bus%")
	f.Add("aab", "%a_%b")
	f.Add("mississippi", "m%is%i_pi")
	f.Add("", "%%")
	f.Fuzz(func(t *testing.T, text, pattern string) {
		if !utf8.ValidString(text) || !utf8.ValidString(pattern) || len(pattern) > 200 || len(text) > 200 {
			return
		}
		filter, err := sqlfilter.ParseFilter("a LIKE b", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := filter.Matches(&sqlfilter.Message{User: map[string]any{"a": text, "b": pattern}})
		if err != nil {
			t.Fatal(err)
		}
		quoted := strings.NewReplacer("%", "(?s:.*)", "_", "(?s:.)").Replace(regexp.QuoteMeta(pattern))
		if want := regexp.MustCompile("^(?:" + quoted + ")$").MatchString(text); got != want {
			t.Errorf("%q LIKE %q is %v, want %v", text, pattern, got, want)
		}
	})
}

// Whatever the text is, it is refused with a reason, or evaluated.
func FuzzParse(f *testing.F) {
	f.Add("sys.Label LIKE '%bus%' OR user.tag IN ('queue', 1.5E3) AND NOT EXISTS(a) AND [b c] IS NOT NULL")
	f.Add("(DateTimeMp2-DateTimeMp) <= @timespan AND p('a') = newid()")
	f.Add("SET quantity = quantity / 2; REMOVE sys.Label, SET a = a + a")
	f.Fuzz(func(t *testing.T, text string) {
		parameters := map[string]any{"timespan": time.Hour}
		if filter, err := sqlfilter.ParseFilter(text, parameters); err == nil {
			if ok, err := filter.Matches(order()); ok && err != nil {
				t.Errorf("%q matches with an error: %v", text, err)
			}
		}
		if action, err := sqlfilter.ParseAction(text, parameters); err == nil {
			m := order()
			if err := action.Apply(m); err == nil && len(m.User) == 0 {
				t.Errorf("%q leaves nothing", text)
			}
		}
	})
}
