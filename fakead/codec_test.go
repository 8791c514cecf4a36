package fakead

// The front's own codec beside the two others: gldap, which decoded these operations before, and asn1-ber.

import (
	"bytes"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/jimlambrt/gldap"

	"passback/fakead/tree"
)

// gldapDecodes returns what gldap makes of a PDU: a bind, search or modify message.
func gldapDecodes(t *testing.T, pdu []byte) (message any) {
	t.Helper()
	mux, err := gldap.NewMux()
	if err != nil {
		t.Fatal(err)
	}
	decoded := make(chan any, 1)
	for _, err := range []error{
		mux.Bind(func(_ *gldap.ResponseWriter, r *gldap.Request) { m, _ := r.GetSimpleBindMessage(); decoded <- m }),
		mux.Search(func(_ *gldap.ResponseWriter, r *gldap.Request) { m, _ := r.GetSearchMessage(); decoded <- m }),
		mux.Modify(func(_ *gldap.ResponseWriter, r *gldap.Request) { m, _ := r.GetModifyMessage(); decoded <- m }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	client, server := net.Pipe()
	go func() {
		_, _ = client.Write(pdu)
		_ = client.Close()
	}()
	if err := serveGldap(server, mux); err != nil {
		t.Fatalf("gldap does not decode it: %v", err)
	}
	return <-decoded
}

func requests() map[string]*ber.Packet {
	all := map[string]*ber.Packet{
		"bind":          ldapBind(3, "CN=Administrator,CN=Users,DC=corp,DC=example", "Winter-2026!"),
		"anonymous":     ldapBind(3, "", ""),
		"long password": ldapBind(3, "a", strings.Repeat("x", 70_000)),
	}
	for _, filter := range filters {
		all["search "+filter] = searchPacket("DC=corp,DC=example", filter, "cn", "member;range=0-*", "*")
	}
	all["search without attributes"] = searchPacket("", "(objectClass=*)")
	reset := ldap.NewModifyRequest("CN=alice,CN=Users,DC=corp,DC=example", nil)
	reset.Replace("unicodePwd", []string{"\"\x00a\x00\"\x00"})
	reset.Add("extensionName", []string{"one", "", strings.Repeat("two", 100)})
	reset.Delete("description", nil)
	all["modify"] = modifyPacket(reset)
	all["modify nothing"] = modifyPacket(ldap.NewModifyRequest("", nil))
	return all
}

// filters are of every kind.
var filters = []string{
	"(objectClass=*)", "(&(objectClass=user)(!(cn=a*b*c)))", `(objectGUID=\00\ff\2a\28\5c)`, "(|(a>=1)(b<=2)(c~=3))",
	"(memberOf:1.2.840.113556.1.4.1941:=DC=corp)", "(:2.5.13.5:=x)", "(cn:=x)",
	"(cn=*b)", "(cn=a*)", "(cn=*b*)", "(cn=a*b*c*d)", "(cn;x-option=)", "(&(a=b))", "(|(a=b)(&(c=d)(e=f)))",
}

func ldapBind(version int64, name, password string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagBind, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, version, ""))
	p.AppendChild(octets(name))
	p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, password, ""))
	return p
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func searchPacket(base, filter string, attributes ...string) *ber.Packet {
	compiled, err := ldap.CompileFilter(filter)
	if err != nil {
		panic(err)
	}
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearch, nil, "")
	p.AppendChild(octets(base))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 2, ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 3, ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1000, ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 65_536, ""))
	p.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	p.AppendChild(compiled)
	list := ber.NewSequence("")
	for _, a := range attributes {
		list.AppendChild(octets(a))
	}
	p.AppendChild(list)
	return p
}

func modifyPacket(m *ldap.ModifyRequest) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagModify, nil, "")
	p.AppendChild(octets(m.DN))
	changes := ber.NewSequence("")
	for _, c := range m.Changes {
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range c.Modification.Vals {
			values.AppendChild(octets(v))
		}
		attribute := ber.NewSequence("")
		attribute.AppendChild(octets(c.Modification.Type))
		attribute.AppendChild(values)
		change := ber.NewSequence("")
		change.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(c.Operation), ""))
		change.AppendChild(attribute)
		changes.AppendChild(change)
	}
	p.AppendChild(changes)
	return p
}

func envelope(id int64, operation *ber.Packet) []byte {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(operation)
	return p.Bytes()
}

func TestTheFrontDecodesAsGldapDoes(t *testing.T) {
	for name, operation := range requests() {
		t.Run(name, func(t *testing.T) {
			pdu := envelope(70_000, operation)
			req, err := decodeRequest(pdu)
			if err != nil {
				t.Fatal(err)
			}
			if req.id != 70_000 {
				t.Errorf("message id %d", req.id)
			}
			switch want := gldapDecodes(t, pdu).(type) {
			case *gldap.SimpleBindMessage:
				if req.bind == nil || !req.bind.simple || req.bind.version != 3 || req.bind.name != want.UserName || req.bind.password != string(want.Password) {
					t.Errorf("another bind than gldap's")
				}
			case *gldap.SearchMessage:
				got := req.search
				if got.base != want.BaseDN || got.scope != tree.Scope(want.Scope) || got.sizeLimit != want.SizeLimit || got.timeLimit != want.TimeLimit ||
					got.typesOnly != want.TypesOnly || fmt.Sprint(got.attributes) != fmt.Sprint(want.Attributes) {
					t.Errorf("got %+v, gldap %+v", got, want)
				}
				checkFilter(t, got.filter, operation.Children[6])
			case *gldap.ModifyMessage:
				checkChanges(t, req.modify, want)
			}
		})
	}
}

func checkChanges(t *testing.T, got *modifyRequest, want *gldap.ModifyMessage) {
	t.Helper()
	if got.dn != want.DN || len(got.changes) != len(want.Changes) {
		t.Fatalf("got %q with %d changes, gldap %q with %d", got.dn, len(got.changes), want.DN, len(want.Changes))
	}
	for i, c := range got.changes {
		var set bytes.Buffer // gldap leaves the values encoded
		for _, v := range c.values {
			set.Write(octets(string(v)).Bytes())
		}
		if w := want.Changes[i]; int64(c.operation) != w.Operation || c.name != w.Modification.Type || set.String() != w.Modification.Vals[0] {
			t.Errorf("change %d: got %v, gldap %v", i, c, w)
		}
	}
}

// checkFilter compares a filter with go-ldap's reading of it.
func checkFilter(t *testing.T, encoded []byte, packet *ber.Packet) {
	t.Helper()
	f, err := decodeFilter(encoded)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ldap.DecompileFilter(packet)
	if err != nil {
		t.Fatal(err)
	}
	want = strings.NewReplacer(":dn:", ":", "~=", "=").Replace(want) // neither makes a difference here
	if got := filterString(f); got != want {
		t.Errorf("got %s, go-ldap %s", got, want)
	}
}

func filterString(f *tree.Filter) string {
	switch f.Kind {
	case tree.FilterAnd, tree.FilterOr, tree.FilterNot:
		s := "(" + [...]string{tree.FilterAnd: "&", tree.FilterOr: "|", tree.FilterNot: "!"}[f.Kind]
		for _, child := range f.Children {
			s += filterString(child)
		}
		return s + ")"
	case tree.FilterPresent:
		return "(" + f.Attribute + "=*)"
	case tree.FilterSubstrings:
		var parts []string
		for _, part := range f.Parts {
			parts = append(parts, ldap.EscapeFilter(string(part)))
		}
		return "(" + f.Attribute + "=" + strings.Join(parts, "*") + ")"
	case tree.FilterExtensible:
		rule := ""
		if f.Rule != "" {
			rule = ":" + f.Rule
		}
		return "(" + f.Attribute + rule + ":=" + ldap.EscapeFilter(string(f.Value)) + ")"
	default:
		operator := map[tree.FilterKind]string{tree.FilterEqual: "=", tree.FilterGreaterOrEqual: ">=", tree.FilterLessOrEqual: "<="}[f.Kind]
		return "(" + f.Attribute + operator + ldap.EscapeFilter(string(f.Value)) + ")"
	}
}

// What asn1-ber writes with short lengths means the same with long ones, which Windows writes.
func TestLengthsOfTheLongForm(t *testing.T) {
	for name, operation := range requests() {
		short, err := decodeRequest(envelope(5, operation))
		if err != nil {
			t.Fatal(err)
		}
		long, err := decodeRequest(lengthened(envelope(5, operation)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(short.bind, long.bind) || !reflect.DeepEqual(short.modify, long.modify) {
			t.Errorf("%s: long lengths make another request of it", name)
		}
		if long.search != nil {
			checkFilter(t, long.search.filter, operation.Children[6])
		}
	}
}

// lengthened writes every length in four octets.
func lengthened(b []byte) []byte {
	var w berWriter
	for r := (berReader{rest: b}); r.more(); {
		identifier, content := r.next()
		if identifier&berConstructed != 0 {
			content = lengthened(content)
		}
		start := w.open(identifier)
		w.out = append(w.out, content...)
		w.close(start)
	}
	return w.out
}

func TestWhatIsNoFilter(t *testing.T) {
	presence := "\x87\x02cn"
	for name, encoded := range map[string]string{
		"nothing":                   "",
		"two filters":               presence + presence,
		"an unknown choice":         "\xaa\x00",
		"a not of nothing":          "\xa2\x00",
		"a not of two":              "\xa2\x08" + presence + presence,
		"a space in a name":         "\x87\x02c ",
		"no name":                   "\x87\x00",
		"no value":                  "\xa3\x04\x04\x02cn",
		"substrings of nothing":     "\xa4\x06\x04\x02cn\x30\x00",
		"two initial parts":         "\xa4\x0c\x04\x02cn\x30\x06\x80\x01a\x80\x01b",
		"a part after the final":    "\xa4\x0c\x04\x02cn\x30\x06\x82\x01a\x81\x01b",
		"an extensible match alone": "\xa9\x03\x83\x01x",
		"no value to a rule":        "\xa9\x05\x81\x032.5",
		"more clauses than 20000":   string(lengthened([]byte("\xa1\x84\x00\x01\x86\xa0" + strings.Repeat(presence, 25_000)))),
	} {
		if f, err := decodeFilter([]byte(encoded)); err == nil {
			t.Errorf("%s was read as %s", name, filterString(f))
		}
	}
}

func TestWrittenNumbersAndLengths(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 127, 128, -128, -129, 255, 256, 1 << 31, -1 << 63, 1<<63 - 1} {
		var w berWriter
		w.number(berInteger, n)
		if want := ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, "").Bytes(); !bytes.Equal(w.out, want) {
			t.Errorf("%d: % x, asn1-ber % x", n, w.out, want)
		}
		if r := (berReader{rest: w.out}); r.number(berInteger) != n || r.bad || r.more() {
			t.Errorf("%d is not read as it was written", n)
		}
	}
	for _, n := range []int{0, 127, 128, 255, 256, 65_535, 65_536} {
		var w berWriter
		w.text(berOctetString, strings.Repeat("x", n))
		p, err := ber.DecodePacketErr(w.out)
		if err != nil || p.Data.Len() != n {
			t.Errorf("a string of %d bytes: %v", n, err)
		}
	}
}

// FuzzDecodeRequest: of what the front takes for a bind, a search or a modify, asn1-ber reads the same.
func FuzzDecodeRequest(f *testing.F) {
	for _, operation := range requests() {
		f.Add(envelope(1, operation))
		f.Add(lengthened(envelope(1, operation)))
	}
	f.Fuzz(func(t *testing.T, pdu []byte) {
		req, err := decodeRequest(pdu)
		if err != nil || req.message != nil {
			return
		}
		p, err := ber.DecodePacketErr(pdu)
		if err != nil {
			return // it is strict about the parts that are ignored
		}
		op := p.Children[1].Children
		if req.id != p.Children[0].Value || req.operation != p.Children[1].Tag {
			t.Errorf("message %d, operation %d; asn1-ber: %v, %d", req.id, req.operation, p.Children[0].Value, p.Children[1].Tag)
		}
		switch {
		case req.bind != nil:
			if req.bind.version != op[0].Value || req.bind.name != op[1].Data.String() || req.bind.simple && req.bind.password != op[2].Data.String() {
				t.Error("asn1-ber reads another bind")
			}
		case req.search != nil:
			m := req.search
			if m.base != op[0].Data.String() || int64(m.scope) != op[1].Value || m.sizeLimit != op[3].Value || m.timeLimit != op[4].Value ||
				len(op) > 7 && len(m.attributes) != len(op[7].Children) {
				t.Errorf("asn1-ber reads another search than %+v", m)
			}
			_, _ = decodeFilter(m.filter)
		case req.modify != nil:
			if req.modify.dn != op[0].Data.String() || len(req.modify.changes) != len(op[1].Children) {
				t.Error("asn1-ber reads another modify")
			}
			for i, c := range req.modify.changes {
				if parts := op[1].Children[i].Children; int64(c.operation) != parts[0].Value || c.name != parts[1].Children[0].Data.String() || len(c.values) != len(parts[1].Children[1].Children) {
					t.Errorf("asn1-ber reads another change %d", i)
				}
			}
		}
	})
}
