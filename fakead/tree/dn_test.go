package tree_test

import (
	"errors"
	"strings"
	"testing"

	"passback/fakead/tree"
)

func TestNamesAreWrittenAsADomainControllerWritesThem(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"cn=Alice,dc=Corp,dc=example", "CN=Alice,DC=Corp,DC=example"},
		{" cn = Alice , ou=x ; DC=corp", "CN=Alice,OU=x,DC=corp"},
		{`CN=Doe\, Jane,DC=corp`, `CN=Doe\, Jane,DC=corp`},
		{`CN=Doe\2C Jane,DC=corp`, `CN=Doe\, Jane,DC=corp`},
		{`CN=\ x\ ,DC=corp`, `CN=\ x\ ,DC=corp`},
		{`CN=\#1\+1\=2,DC=corp`, `CN=\#1\+1\=2,DC=corp`},
		{`CN=a\0Ab,DC=corp`, `CN=a\0Ab,DC=corp`},
		{`CN=M\C3\BCller,DC=corp`, `CN=Müller,DC=corp`},
		{`CN=#0403616263,DC=corp`, `CN=abc,DC=corp`},
		{"2.5.4.3=Alice,DC=corp", "CN=Alice,DC=corp"},
		{"", ""},
	} {
		dn, err := tree.ParseDN(c.in)
		if err != nil || dn.String() != c.want {
			t.Errorf("%q: got %q, %v; want %q", c.in, dn, err, c.want)
		}
	}
}

func TestWhatIsNoName(t *testing.T) {
	for _, in := range []string{
		"Alice", "=x", "CN=", "CN=x,", ",CN=x", `CN=x\`, `CN=\zz`, "CN=a+OU=b,DC=c", `CN="x",DC=c`, "CN=\xff", "CN=x\x00", `CN=x\00`, "C N=x",
		"CN=#04,DC=c", "CN=#zz", strings.Repeat("CN=x,", 300) + "DC=c", "CN=" + strings.Repeat("x", 20<<10),
	} {
		if dn, err := tree.ParseDN(in); !errors.Is(err, tree.ErrDNSyntax) {
			t.Errorf("%.40q: got %q, %v", in, dn, err)
		}
	}
}

func TestNamesAreComparedWithoutRegardToCaseAndAccents(t *testing.T) {
	a := tree.MustParseDN("CN=Müller,OU=People,DC=corp,DC=example")
	for name, equal := range map[string]bool{
		"cn=MULLER,ou=people,dc=CORP,dc=example": true,
		"CN=Miller,OU=People,DC=corp,DC=example": false,
		"CN=Müller,DC=corp,DC=example":           false,
	} {
		if got := a.Equal(tree.MustParseDN(name)); got != equal {
			t.Errorf("equal to %s: %t", name, got)
		}
	}
	if !a.Under(tree.MustParseDN("dc=Corp,dc=Example")) || a.Under(tree.MustParseDN("DC=p,DC=example")) || !a.Under(a) {
		t.Error("what lies under what is confused")
	}
}

func FuzzParseDN(f *testing.F) {
	for _, s := range []string{"CN=Alice,DC=corp", `CN=a\,b\0A\ ,OU=\#x`, "CN=#0403616263", "cn = x ; dc=y", "<GUID=>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		dn, err := tree.ParseDN(s)
		if err != nil {
			return
		}
		again, err := tree.ParseDN(dn.String())
		if err != nil || !again.Equal(dn) || again.String() != dn.String() {
			t.Errorf("%q became %q, which became %q, %v", s, dn, again, err)
		}
	})
}
