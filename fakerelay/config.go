package fakerelay

// The official emulator's Config.json (https://github.com/Azure/azure-service-bus-emulator-installer): queues,
// with every property that this version has. Topics and forwarding are left for later: a warning names them.
// Real files hold // comments.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxConfig   = 4 << 20 // bytes
	forEver     = 100 * 365 * 24 * time.Hour
	textUnknown = "%s is not known and has no effect"
	textLater   = "%s is not supported in this version and has no effect"
)

// ReadConfig reads the queues of a Config.json. Warnings name what has no effect: unknown keys, topics,
// forwarding. An error names the key, its value and what is allowed.
func ReadConfig(r io.Reader) (queues []QueueOptions, warnings []string, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the config: %w", err)
	}
	if len(raw) > maxConfig {
		return nil, nil, fmt.Errorf("read the config: it has more than %d bytes", maxConfig)
	}
	c := &configReader{}
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
	return c.queues, c.warnings, c.err
}

// configReader collects; after the first error it reads on with nothing.
type configReader struct {
	queues   []QueueOptions
	warnings []string
	err      error
}

func (c *configReader) fail(path, value, allowed string) {
	if c.err == nil {
		c.err = fmt.Errorf("config: %s is %s: must be %s", path, value, allowed)
	}
}

func (c *configReader) namespace(path string, raw json.RawMessage) {
	o := c.object(path, raw)
	o.take("Name") // clients may call it by any name
	for i, entry := range c.array(path+".Queues", o.take("Queues")) {
		c.queue(fmt.Sprintf("%s.Queues[%d]", path, i), entry)
	}
	for i, entry := range c.array(path+".Topics", o.take("Topics")) {
		topic := c.object(fmt.Sprintf("%s.Topics[%d]", path, i), entry)
		c.warnings = append(c.warnings, fmt.Sprintf(textLater, "topic "+topic.text("Name")))
	}
	o.rest(textUnknown)
}

func (c *configReader) queue(path string, raw json.RawMessage) {
	o := c.object(path, raw)
	q := QueueOptions{Name: o.text("Name")}
	p := c.object(path+".Properties", o.take("Properties"))
	q.DeadLetterOnExpiration = p.boolean("DeadLetteringOnMessageExpiration")
	q.RequiresDuplicateDetection = p.boolean("RequiresDuplicateDetection")
	q.RequiresSession = p.boolean("RequiresSession")
	q.DuplicateWindow = p.duration("DuplicateDetectionHistoryTimeWindow")
	q.LockDuration = p.duration("LockDuration")
	q.DefaultTTL = p.duration("DefaultMessageTimeToLive")
	if q.DefaultTTL >= forEver {
		q.DefaultTTL = 0
	}
	q.MaxDeliveryCount = p.number("MaxDeliveryCount")
	for _, key := range []string{"ForwardTo", "ForwardDeadLetteredMessagesTo"} {
		if p.text(key) != "" {
			c.warnings = append(c.warnings, fmt.Sprintf(textLater, p.path+"."+key))
		}
	}
	p.rest(textUnknown)
	o.rest(textUnknown)
	c.queues = append(c.queues, q)
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

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$`)

// parseDuration takes days to seconds, and "" for none. What is longer than Go can count is cut there.
func parseDuration(text string) (time.Duration, bool) {
	if text == "" {
		return 0, true
	}
	parts := isoDuration.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, false
	}
	seconds := 0.0
	for i, unit := range []float64{24 * 60 * 60, 60 * 60, 60, 1} {
		if parts[i+1] == "" {
			continue
		}
		count, err := strconv.ParseFloat(parts[i+1], 64)
		if err != nil {
			return 0, false
		}
		seconds += count * unit
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64, true
	}
	return time.Duration(seconds * float64(time.Second)), true
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
