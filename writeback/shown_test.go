package writeback

import (
	"os"
	"strings"
	"testing"
)

// CompareShown holds a part of a page of docs to what the test found. With PASSBACK_UPDATE=1 it is written.
func CompareShown(t *testing.T, file, part, found string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "<!-- "+part+" -->\n")
	shown, after, there := strings.Cut(rest, "<!-- end of "+part+" -->")
	switch {
	case !there:
		t.Fatalf("%s has no place for %s", file, part)
	case shown == found:
	case os.Getenv("PASSBACK_UPDATE") != "1":
		t.Fatalf("%s shows something else for %s; found:\n%s\nWrite it by PASSBACK_UPDATE=1 go test ./writeback -run %s", file, part, found, t.Name())
	default:
		page := before + "<!-- " + part + " -->\n" + found + "<!-- end of " + part + " -->" + after
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
