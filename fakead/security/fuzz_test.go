package security_test

import (
	"testing"

	"passback/fakead/security"
)

// FuzzParse: whatever is read is written in both forms and read back the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"O:DAG:DAD:", "D:PAI(OA;CIIOID;RPWP;" + pwdLastSet + ";" + userClass + ";PS)S:(AU;SA;WP;;;WD)"} {
		b, err := sddl(f, text).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := security.Parse(b)
		if err != nil {
			return
		}
		again, err := d.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		if back, err := security.Parse(again); err != nil || !back.Equal(d) {
			t.Fatalf("%s: read back as %v, %v", d, back, err)
		}
		if back, err := security.ParseSDDL(d.SDDL(domain), domain); err != nil || !back.Equal(d) {
			t.Fatalf("%s: read back as %v, %v", d, back, err)
		}
	})
}

// FuzzParseSDDL: whatever is read is written and read back the same.
func FuzzParseSDDL(f *testing.F) {
	f.Add("O:DAG:S-1-5-21-1-2-3-4D:PARAI(A;CI;GA;;;SY)S:(OU;FA;0x1;" + userClass + ";;CO)")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := security.ParseSDDL(text, domain)
		if err != nil {
			return
		}
		if back, err := security.ParseSDDL(d.SDDL(domain), domain); err != nil || !back.Equal(d) {
			t.Fatalf("%q: written as %s: %v, %v", text, d.SDDL(domain), back, err)
		}
	})
}
