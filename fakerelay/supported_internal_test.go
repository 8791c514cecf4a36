package fakerelay

// SUPPORTED.md says what the fake makes of each feature of the service. Operations, types of tokens, properties, errors
// and limits are read from the tables that the code runs on; what has no table there is in supported_features_test.go.

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
	"passback/fakerelay/sqlfilter"
)

var update = flag.Bool("update", false, "write SUPPORTED.md")

func TestSupportedIsWhatTheTablesSay(t *testing.T) {
	const name = "SUPPORTED.md"
	want := supportedPage()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s is stale (%v): write it with go test ./fakerelay -run Supported -update", name, err)
	}
}

func supportedPage() string {
	var p strings.Builder
	table := func(title, header string, rows ...string) {
		columns := strings.Count(header, "|") + 1
		fmt.Fprintf(&p, "\n## %s\n\n| %s |\n|%s\n", title, header, strings.Repeat(" --- |", columns))
		for _, row := range rows {
			fmt.Fprintf(&p, "| %s |\n", row)
		}
	}
	p.WriteString("# What fakerelay does\n\n" +
		"Written by `go test ./fakerelay -run Supported -update` from the tables in the code; a test fails when it is stale. *yes*, *partly* and *no* are of what\n" +
		"Azure Service Bus does; *differs* is on purpose, with the reason.\n")
	for _, section := range features {
		table(section.title, "feature | | note", section.rows...)
	}
	var rows []string
	for _, kind := range slices.Sorted(maps.Keys(tokenTypes)) {
		rows = append(rows, fmt.Sprintf("`%s` | %s", kind, tokenNotes[kind]))
	}
	table("Types of tokens for put-token", "type | | note", rows...)
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		rows = append(rows, fmt.Sprintf("`%s` | yes | %v", name, operations[name].right))
	}
	table("$management operations", "operation | | needs", rows...)
	table("Paths of the management API", "path | methods", atomRows()...)
	table("Properties of queues, topics and subscriptions", "field of the Go options | queue | topic | subscription", propertyRows()...)
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(systemProperties)) {
		settable := "no"
		if systemProperties[name].set != nil {
			settable = "yes"
		}
		rows = append(rows, fmt.Sprintf("`sys.%s` | yes | %s", name, settable))
	}
	table("System properties in rules", "property | in filters | set by actions", rows...)
	table("Conditions and texts, on links and with the status of $cbs and $management", "status | condition | text", refusalRows()...)
	table("Limits", "what | number", limitRows()...)
	table("Against the official emulator", "| official emulator 2.0.1 | fakerelay", emulator...)
	return p.String()
}

func atomRows() (rows []string) {
	for _, kind := range slices.Sorted(maps.Keys(atomOperations)) {
		at := atomPath{kind, "{topic}", "{subscription}", "{rule}"}
		switch kind {
		case atomEntity:
			at.name = "{queue or topic}"
		case atomNamespace, atomQueues, atomTopics:
			for path, leads := range atomCollections {
				if leads == kind {
					at.name = path
				}
			}
		}
		rows = append(rows, fmt.Sprintf("`/%s` | %s", at, strings.Join(slices.Sorted(maps.Keys(atomOperations[kind])), ", ")))
	}
	return rows
}

// refusalRow leaves out what stands in the place of each verb, and the status of what has none.
func refusalRow(r refusal) string {
	status := fmt.Sprint(r.status)
	if r.status == 0 {
		status = ""
	}
	text := strings.NewReplacer("%s", "…", "%d", "…").Replace(r.text)
	return fmt.Sprintf("%s | `%s` | %s", status, r.condition, strings.TrimSpace(text))
}

func refusalRows() (rows []string) {
	for _, known := range brokerRefusals {
		known.text = strings.Replace(known.text, "%v", known.err.Error(), 1)
		rows = append(rows, refusalRow(known.refusal))
	}
	for _, r := range endings {
		rows = append(rows, refusalRow(r))
	}
	return slices.Compact(rows)
}

// propertyRows has each field of the options that describe an entity.
func propertyRows() (rows []string) {
	kinds := []reflect.Type{reflect.TypeFor[broker.QueueOptions](), reflect.TypeFor[broker.TopicOptions](), reflect.TypeFor[broker.SubscriptionOptions]()}
	fields := make(map[string][3]string)
	for i, kind := range kinds {
		for _, field := range reflect.VisibleFields(kind) {
			if field.Anonymous {
				continue
			}
			row := fields[field.Name]
			row[i] = "yes"
			fields[field.Name] = row
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		cells := fields[name]
		rows = append(rows, name+" | "+strings.Join(cells[:], " | "))
	}
	return rows
}

func limitRows() []string {
	row := func(what string, number any) string { return fmt.Sprintf("%s | %v", what, number) }
	return []string{
		row("bytes of a message, standard", Standard.MaxMessageSize()), row("bytes of a message, premium", Premium.MaxMessageSize()),
		row("kilobytes of a message that a premium entity may be made for", broker.MaxMessageLimitKB),
		row("bytes of a session's state", broker.MaxSessionState), row("characters of a session id", broker.MaxSessionID),
		row("longest lock", broker.MaxLockDuration), row("deliveries before dead-lettering, at most", broker.MaxDeliveryLimit),
		row("message ids remembered by a queue", broker.MaxDuplicates), row("messages of one peek", broker.MaxPeek),
		row("hops of a forwarded message", broker.MaxHops), row("subscriptions of a topic", broker.MaxSubscriptions),
		row("rules of a topic", broker.MaxRules), row("shortest AutoDeleteOnIdle", broker.MinIdle),
		row("characters of an SQL expression", sqlfilter.MaxLength), row("statements of an action", sqlfilter.MaxStatements),
		row("authorization rules of an entity", maxKeys), row("connections", maxConnections), row("tokens of a connection", maxGrants),
		row("entries of a page of a feed", maxPage), row("faults", maxFaults),
		row("depth of nested AMQP values", amqp.MaxDepth), row("elements of one AMQP value", amqp.MaxElements),
	}
}
