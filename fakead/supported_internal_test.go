package fakead

// SUPPORTED.md says what the fake makes of each feature of a domain controller. It is written from the tables beside the
// code, by `go test ./fakead -run Supported -update`, and this test fails when it is not what they say.

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"passback/fakead/password"
	"passback/fakead/tree"
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
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: write it with go test ./fakead -run Supported -update", name)
	}
}

// A constructed attribute that is no longer in the schema, or was misspelt, would never be asked for.
func TestConstructorsAreOfConstructedAttributes(t *testing.T) {
	for name := range constructors {
		if a := tree.LookupAttribute(name); a == nil || a.Name != name || !a.Constructed {
			t.Errorf("%s is no constructed attribute of the schema", name)
		}
	}
}

// A page is Markdown in the making.
type page struct{ strings.Builder }

func (p *page) section(title, text string, header ...string) {
	fmt.Fprintf(p, "\n## %s\n\n", title)
	if text != "" {
		fmt.Fprintf(p, "%s\n\n", text)
	}
	p.row(header...)
	p.row(slices.Repeat([]string{"---"}, len(header))...)
}

func (p *page) row(cells ...string) {
	p.WriteString("|")
	for _, c := range cells {
		p.WriteString(strings.TrimRight(" "+strings.ReplaceAll(c, "|", `\|`), " ") + " |")
	}
	p.WriteString("\n")
}

func supportedPage() string {
	p := &page{}
	p.WriteString("# What fakead does\n\n" +
		"Written from the tables in the code by `go test ./fakead -run Supported -update`; a test fails when it is stale. *yes*, *partly* and *no* are\n" +
		"of what Windows Server does; *no* means accepted and without effect, unless the note says otherwise. Differences from a real domain controller of\n" +
		"Samba's, with the source that is Windows' own, are in [the ledger](oracle/testdata/ledger.txt), which `make oracle` holds to be complete.\n")
	operationsSection(p)
	controlsSection(p)
	constructedSection(p)
	catalogSection(p)
	schemaSection(p)
	passwordSection(p)
	versionsSection(p)
	return p.String()
}

func operationsSection(p *page) {
	p.section("Operations", "", "operation", "", "note")
	for _, o := range operations {
		p.row(o.name, string(o.support), o.note)
	}
	p.section("Extended operations", "", "operation", "OID", "", "note")
	for _, o := range extendedOperations {
		p.row(o.name, o.oid, string(o.support), o.note)
	}
}

func controlsSection(p *page) {
	p.section("Controls", "Those that rootDSE lists. None is refused for being critical; one that it does not list is (12).", "control", "OID", "", "since", "note")
	for _, c := range listedControls {
		p.row(c.name, c.oid, string(c.support), c.since, c.note)
	}
}

func constructedSection(p *page) {
	p.section("Constructed attributes", "Returned when asked for by name, and in no filter.", "attribute", "", "note")
	for _, a := range tree.Attributes() {
		if !a.Constructed {
			continue
		}
		c, ok := constructors[a.Name]
		p.row(a.Name, string(map[bool]support{true: yes, false: no}[ok]), c.note)
	}
	p.row(propertyMetadata, string(yes), "stored on Windows; bytes, as Samba writes them")
}

func catalogSection(p *page) {
	var held []string
	for _, a := range tree.Attributes() {
		if a.PartialSet {
			held = append(held, a.Name)
		}
	}
	p.section("Global catalog", "`Options.GlobalCatalog`, `passback ad --gc-port --gcs-port`: all naming contexts of the forest, which has one domain.", "operation", "")
	for _, o := range operations {
		p.row(o.name, map[bool]string{true: "refused: 53 / 00002035, Operation not allowed through GC port", false: "as on the other ports"}[isWrite(o.tag)])
	}
	fmt.Fprintf(p, "\nThe partial attribute set, all else being neither shown nor found: %s; back links of these; what is computed.\n", strings.Join(held, ", "))
}

func schemaSection(p *page) {
	syntaxes := map[string]int{}
	var secret, owned []string
	for _, a := range tree.Attributes() {
		syntaxes[a.Syntax.String()]++
		switch {
		case a.NeverReadable:
			secret = append(secret, a.Name)
		case a.OwnedBySAM:
			owned = append(owned, a.Name)
		}
	}
	p.section("Schema", fmt.Sprintf("%d attributes and %d classes of MS-ADA1 to 3 and MS-ADSC; every other name answers 16 / 00000057. Extending the schema: no.",
		len(tree.Attributes()), len(tree.Classes())), "syntax", "attributes")
	var names []string
	for name := range syntaxes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.row(name, fmt.Sprint(syntaxes[name]))
	}
	fmt.Fprintf(p, "\nNever readable, and found by no filter: %s.\n\nOwned by the SAM (53 / 0000209A where a client writes them to an account): %s.\n", strings.Join(secret, ", "), strings.Join(owned, ", "))
	p.section("Classes", "", "class", "kind", "superior", "attributes of its own")
	for _, c := range tree.Classes() {
		p.row(c.Name, c.Kind, c.Superior, fmt.Sprint(len(c.Must)+len(c.May)))
	}
}

func passwordSection(p *page) {
	p.section("Rules for new passwords", "In their order. Each is 0000052D on the wire: 19 in a change, 53 in a reset. A fine-grained policy replaces the domain's as a whole.", "rule", "refused is", "source")
	for _, r := range password.Rules {
		p.row(string(r.Rule), r.Says, r.Source)
	}
	p.section("Refused logons", "49 / 80090308, with this as data, in the order in which they are looked for.", "data", "meaning")
	for _, a := range password.Admissions {
		p.row(fmt.Sprintf("%x", int(a.Admission)), a.Means)
	}
}

func versionsSection(p *page) {
	p.section("Versions", "`Options.OS`, `passback ad --os`. 2025 refuses simple binds without TLS (8 / 00002028).", "Windows Server", "functional level", "schema", "suffix of texts", "controls")
	for _, version := range []string{"2012R2", "2016", "2019", "2022", "2025"} {
		s := &Server{os: version}
		p.row(version, fmt.Sprint(levels[version].functional), fmt.Sprint(levels[version].schema), builds[version], fmt.Sprint(len(s.controlOIDs())))
	}
}
