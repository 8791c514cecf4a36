package tree_test

import (
	"errors"
	"testing"

	"passback/fakead/tree"
)

// What the naming contexts of the forest hold in place, by systemFlags and by what they are.
func TestTheConfigurationStaysInPlace(t *testing.T) {
	l := newLab(t)
	head := func(dn tree.DN, class string) {
		if _, err := l.AddHead(dn, []tree.Value{tree.Strings("objectClass", class)}); err != nil {
			t.Fatal(err)
		}
	}
	head(l.ConfigurationDN(), "configuration")
	head(l.SchemaDN(), "dMD")
	const config, limited, movable = "CN=Configuration", "268435456", "536870912"
	sites := l.add("CN=Sites,"+config, "container")
	east, west := l.add("CN=East,CN=Sites,"+config, "container"), l.add("CN=West,CN=Sites,"+config, "container")
	server := l.add("CN=DC1,CN=East,CN=Sites,"+config, "container", tree.Strings("systemFlags", limited))
	for name, c := range map[string]struct {
		entry, parent *tree.Entry
		windows       uint32
	}{
		"without a flag":              {west, east, 0x2185},
		"to another grandparent":      {server, sites, 0x2186},
		"to the same grandparent":     {server, west, 0},
		"with the flag, anywhere":     {l.add("CN=Free,CN=Sites,"+config, "container", tree.Strings("systemFlags", movable)), east, 0},
		"an object of the schema":     {l.add("CN=A,CN=Schema,"+config, "container"), l.add("CN=B,CN=Schema,"+config, "container"), 0x2184},
		"to another naming context":   {west, l.Find(tree.MustParseDN("CN=Users," + base)), 0x2077},
		"the head of a whole context": {l.Find(l.ConfigurationDN()), east, 0x2183},
	} {
		err := l.Rename(c.entry, c.entry.DN()[0], c.parent)
		var refusal *tree.Error
		if got := errors.As(err, &refusal); c.windows == 0 && err != nil || c.windows != 0 && (!got || refusal.Windows != c.windows) {
			t.Errorf("%s: %v, want %08X", name, err, c.windows)
		}
	}
}
