package oracle

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const microsoft = "1.2.840.113556.1.4."

// newControl reads: OID [critical] [flags=N | hex="..."]. A number is one of Microsoft's.
func newControl(args []token) (ldap.Control, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("a control without an OID")
	}
	oid, critical, value := args[0].text, false, ""
	if !strings.Contains(oid, ".") {
		oid = microsoft + oid
	}
	for _, arg := range args[1:] {
		flags, isFlags := strings.CutPrefix(arg.text, "flags=")
		switch {
		case arg.text == "critical":
			critical = true
		case isFlags:
			n, err := strconv.Atoi(flags)
			if err != nil {
				return nil, err
			}
			p := ber.NewSequence("")
			p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, ""))
			value = string(p.Bytes())
		case arg.kind == "hex":
			b, err := hex.DecodeString(arg.text)
			if err != nil {
				return nil, err
			}
			value = string(b)
		default:
			return nil, fmt.Errorf("control: what is %q?", arg.text)
		}
	}
	return rawControl{oid, critical, value}, nil
}

// A rawControl is written as RFC 4511 5.1 wants it: TRUE is 0xFF. The LDAP library's own controls write 0x01, which
// Samba takes for FALSE.
type rawControl struct {
	oid      string
	critical bool
	value    string // empty: none
}

func (c rawControl) GetControlType() string { return c.oid }

func (c rawControl) String() string { return c.oid }

func (c rawControl) Encode() *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.oid, ""))
	if c.critical {
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, "\xff", ""))
	}
	if c.value != "" {
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.value, ""))
	}
	return p
}

// newControls reads clauses that are all controls.
func newControls(clauses [][]token) ([]ldap.Control, error) {
	var controls []ldap.Control
	for _, c := range clauses {
		if c[0].text != "control" {
			return nil, fmt.Errorf("no such clause: %s", c[0].text)
		}
		control, err := newControl(c[1:])
		if err != nil {
			return nil, err
		}
		controls = append(controls, control)
	}
	return controls, nil
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassContext, ber.TypePrimitive, 1, s, "")
}
