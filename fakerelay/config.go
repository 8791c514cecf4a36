package fakerelay

// The official emulator's Config.json (https://github.com/Azure/azure-service-bus-emulator-installer), read key by key.
// Real files hold // comments.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxConfig   = 4 << 20 // bytes
	forEver     = 100 * 365 * 24 * time.Hour
	textUnknown = "%s is not known and has no effect"
)

// Entities are those of a namespace, as Options take them.
type Entities struct {
	Queues []QueueOptions
	Topics []Topic
}

// A Topic describes a topic together with its subscriptions.
type Topic struct {
	TopicOptions
	Subscriptions []SubscriptionOptions // each with its Rules
}

// ReadConfig reads the entities of a Config.json; a list that is empty there is empty, not nil. Warnings name unknown
// keys, which have no effect. An error names the key, its value and what is allowed.
func ReadConfig(r io.Reader) (e Entities, warnings []string, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return Entities{}, nil, fmt.Errorf("read the config: %w", err)
	}
	if len(raw) > maxConfig {
		return Entities{}, nil, fmt.Errorf("read the config: it has more than %d bytes", maxConfig)
	}
	c := &configReader{entities: Entities{Queues: []QueueOptions{}, Topics: []Topic{}}}
	root := c.object("", stripComments(raw))
	user := c.object("UserConfig", root.take("UserConfig"))
	user.take("Logging")
	namespaces := c.array("UserConfig.Namespaces", user.take("Namespaces"))
	if len(namespaces) > 1 {
		c.fail("UserConfig.Namespaces", fmt.Sprintf("%d entries", len(namespaces)), "one")
	}
	for i, entry := range namespaces {
		c.namespace(fmt.Sprintf("UserConfig.Namespaces[%d]", i), entry)
	}
	user.rest(textUnknown)
	root.rest(textUnknown)
	return c.entities, c.warnings, c.err
}

// configReader collects; after the first error it reads on with nothing.
type configReader struct {
	entities Entities
	warnings []string
	err      error
}

func (c *configReader) fail(path, value, allowed string) {
	if c.err == nil {
		c.err = fmt.Errorf("config: %s is %s: must be %s", path, value, allowed)
	}
}

// configObject is a JSON object whose keys are taken one by one.
type configObject struct {
	c      *configReader
	path   string
	fields map[string]json.RawMessage
}

func (c *configReader) object(path string, raw json.RawMessage) *configObject {
	o := &configObject{c: c, path: path}
	if len(raw) > 0 && json.Unmarshal(raw, &o.fields) != nil {
		if path == "" {
			path = "the file"
		}
		c.fail(path, shorten(raw), "a JSON object")
	}
	return o
}

func (c *configReader) array(path string, raw json.RawMessage) []json.RawMessage {
	var entries []json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &entries) != nil {
		c.fail(path, shorten(raw), "a JSON array")
	}
	return entries
}

func (o *configObject) take(key string) json.RawMessage {
	raw := o.fields[key]
	delete(o.fields, key)
	return raw
}

// value fills to, unless the key is missing.
func (o *configObject) value(key, allowed string, to any) {
	if raw := o.take(key); len(raw) > 0 && json.Unmarshal(raw, to) != nil {
		o.c.fail(o.path+"."+key, shorten(raw), allowed)
	}
}

func (o *configObject) text(key string) (s string) {
	o.value(key, "a string", &s)
	return s
}

func (o *configObject) boolean(key string) (b bool) {
	o.value(key, "true or false", &b)
	return b
}

func (o *configObject) number(key string) (n int) {
	o.value(key, "a whole number", &n)
	return n
}

func (o *configObject) duration(key string) time.Duration {
	text := o.text(key)
	d, ok := parseDuration(text)
	if !ok {
		o.c.fail(o.path+"."+key, strconv.Quote(text), `an ISO 8601 duration such as "PT1M", or ""`)
	}
	return d
}

// rest warns of what nobody took.
func (o *configObject) rest(text string) {
	var keys []string
	for key := range o.fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		o.c.warnings = append(o.c.warnings, fmt.Sprintf(text, strings.TrimPrefix(o.path+"."+key, ".")))
	}
}

func shorten(raw []byte) string {
	const most = 60
	if raw = bytes.TrimSpace(raw); len(raw) > most {
		return string(raw[:most]) + "..."
	}
	return string(raw)
}

// stripComments replaces // comments outside of strings by spaces.
func stripComments(raw []byte) []byte {
	out := bytes.Clone(raw)
	inString := false
	for i := 0; i < len(out); i++ {
		switch {
		case inString && out[i] == '\\':
			i++
		case out[i] == '"':
			inString = !inString
		case !inString && out[i] == '/' && i+1 < len(out) && out[i+1] == '/':
			for ; i < len(out) && out[i] != '\n'; i++ {
				out[i] = ' '
			}
		}
	}
	return out
}
