package writeback

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"passback/writeback/protocol"
)

// eventsInCode are the names by id: the outcomes' reasons, and each info, warn or fail of events.go.
func eventsInCode(t *testing.T) map[int]string {
	t.Helper()
	names := map[int]string{}
	for _, o := range protocol.Outcomes() {
		names[o.Event.ID] = o.Event.Name
	}
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		kind, isName := call.Fun.(*ast.Ident)
		if !isName || kind.Name != "info" && kind.Name != "warn" && kind.Name != "fail" {
			return true
		}
		id, err := strconv.Atoi(call.Args[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if names[id], err = strconv.Unquote(call.Args[1].(*ast.BasicLit).Value); err != nil {
			t.Fatal(err)
		}
		return true
	})
	return names
}

// TestEveryEventIsExplained holds docs/operations.md to the code, event by event.
func TestEveryEventIsExplained(t *testing.T) {
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	code, last := eventsInCode(t), 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		id, err := strconv.Atoi(strings.TrimSpace(cells[0]))
		if err != nil {
			continue
		}
		if len(cells) != 4 || strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
			t.Errorf("event %d: want its name, what it means and what to do", id)
			continue
		}
		if name := strings.TrimSpace(cells[1]); name != code[id] {
			t.Errorf("event %d is called %q there and %q in the code", id, name, code[id])
		}
		if id <= last {
			t.Errorf("event %d comes after %d", id, last)
		}
		last = id
		delete(code, id)
	}
	for id, name := range code {
		t.Errorf("event %d %s is not explained", id, name)
	}
}

// TestEveryAilmentIsExplained holds the page's table of health to the code: code, severity and what it follows from.
func TestEveryAilmentIsExplained(t *testing.T) {
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Health\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, a := range ailments {
		found := false
		for line := range strings.Lines(table) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			if len(cells) != 4 || !strings.Contains(cells[0], "`"+a.code+"`") {
				continue
			}
			found = true
			var follows []string
			for _, code := range a.dependsOn {
				follows = append(follows, "`"+code+"`")
			}
			if strings.TrimSpace(cells[1]) != string(a.severity) || strings.TrimSpace(cells[2]) != strings.Join(follows, ", ") {
				t.Errorf("%s is %s and follows from %v; the page says %q", a.code, a.severity, follows, line)
			}
		}
		if !found {
			t.Errorf("%s is not explained", a.code)
		}
	}
}
