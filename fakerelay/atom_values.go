package fakerelay

// Values by name in filters and actions: KeyValueOfstringanyType, each with its XML Schema type. Left out on purpose:
// types that neither a message nor an SDK's filter has, such as base64Binary.

import (
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	xmlSchema     = "http://www.w3.org/2001/XMLSchema"
	valuePrefix   = "d6p1:"
	textBadValue  = "The value of '%s' is not of its type '%s'"
	textValueType = "The type '%s' of the value of '%s' is not supported"
)

type (
	xmlValues struct {
		Pairs []xmlPair `xml:"KeyValueOfstringanyType"`
	}
	xmlPair struct {
		Key   string   `xml:"Key"`
		Value xmlValue `xml:"Value"`
	}
	xmlValue struct {
		Type   xsiType  `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
		Schema xml.Attr `xml:",any,attr"`
		Text   string   `xml:",chardata"`
	}
)

var schemaAttribute = xml.Attr{Name: xml.Name{Local: "xmlns:" + strings.TrimSuffix(valuePrefix, ":")}, Value: xmlSchema}

// describeValues sorts by name.
func describeValues(values map[string]any) *xmlValues {
	if len(values) == 0 {
		return nil
	}
	d := &xmlValues{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, text := describeValue(values[key])
		d.Pairs = append(d.Pairs, xmlPair{key, xmlValue{xsiType(valuePrefix + name), schemaAttribute, text}})
	}
	return d
}

// describeValue names the type that SDKs read: what fits an int is one, since azservicebus takes no other.
func describeValue(value any) (name, text string) {
	switch v := value.(type) {
	case string:
		return "string", v
	case bool:
		return "boolean", strconv.FormatBool(v)
	case int64:
		if v == int64(int32(v)) {
			return "int", strconv.FormatInt(v, 10)
		}
		return "long", strconv.FormatInt(v, 10)
	case float64:
		return "double", formatDouble(v)
	case time.Time:
		return "dateTime", v.UTC().Format(time.RFC3339Nano)
	case time.Duration:
		return "duration", formatDuration(v)
	case uuid.UUID:
		return "guid", v.String()
	}
	return "string", fmt.Sprint(value)
}

// formatDouble writes infinities as XML Schema does.
func formatDouble(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "INF"
	case math.IsInf(v, -1):
		return "-INF"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// values reads them; none is nil.
func (d *xmlValues) values() (map[string]any, error) {
	if d == nil || len(d.Pairs) == 0 {
		return nil, nil //nolint:nilnil // no values
	}
	values := make(map[string]any, len(d.Pairs))
	for _, pair := range d.Pairs {
		value, err := pair.read()
		if err != nil {
			return nil, err
		}
		values[pair.Key] = value
	}
	return values, nil
}

func (p xmlPair) read() (any, error) {
	name := string(p.Value.Type)
	if _, local, prefixed := strings.Cut(name, ":"); prefixed {
		name = local
	}
	var value any
	var err error
	switch text := p.Value.Text; name {
	case "", "string":
		return text, nil
	case "boolean":
		value, err = strconv.ParseBool(text)
	case "int", "long", "short", "byte", "integer":
		value, err = strconv.ParseInt(text, 10, 64)
	case "double", "float", "decimal":
		value, err = strconv.ParseFloat(text, 64)
	case "dateTime":
		value, err = time.Parse(time.RFC3339Nano, text)
	case "guid":
		value, err = uuid.Parse(text)
	case "duration":
		span, ok := parseDuration(text)
		if !ok {
			err = strconv.ErrSyntax
		}
		value = span
	default:
		return nil, badRequest(fmt.Sprintf(textValueType, name, p.Key))
	}
	if err != nil {
		return nil, badRequest(fmt.Sprintf(textBadValue, p.Key, name))
	}
	return value, nil
}
