package tree

// objectGUID and objectSid: their bytes and their strings (MS-DTYP 2.3.4 and 2.4.2).

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrIdentifier is wrapped by the errors of ParseGUID and ParseSID.
var ErrIdentifier = errors.New("not an identifier")

// A GUID is as the directory stores it: the first three groups with their low bytes first.
type GUID [16]byte

// ParseGUID reads 16 bytes, 32 hexadecimal digits of the stored bytes, or the dashed string, also in braces.
func ParseGUID(s string) (GUID, error) {
	if len(s) == 16 {
		return GUID([]byte(s)), nil
	}
	if len(s) == 32 {
		if b, err := hex.DecodeString(s); err == nil {
			return GUID(b), nil
		}
	}
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
		s = s[1 : len(s)-1]
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return GUID{}, fmt.Errorf("%w: a GUID has five groups of 8, 4, 4, 4 and 12 digits", ErrIdentifier)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		return GUID{}, fmt.Errorf("%w: a GUID consists of hexadecimal digits", ErrIdentifier)
	}
	return GUID(b).swapped(), nil
}

// swapped turns the written order of bytes into the stored one, and back.
func (g GUID) swapped() GUID {
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5] = g[5], g[4]
	g[6], g[7] = g[7], g[6]
	return g
}

// String is the dashed form.
func (g GUID) String() string {
	w := g.swapped()
	return fmt.Sprintf("%x-%x-%x-%x-%x", w[:4], w[4:6], w[6:8], w[8:10], w[10:])
}

// A SID is a security identifier in its binary form.
type SID string

// ParseSID reads the binary form, its hexadecimal digits, or S-1-...
func ParseSID(s string) (SID, error) {
	if validSID(s) {
		return SID(s), nil
	}
	if b, err := hex.DecodeString(s); err == nil && validSID(string(b)) {
		return SID(b), nil
	}
	parts := strings.Split(s, "-")
	if len(parts) < 3 || !strings.EqualFold(parts[0], "S") || parts[1] != "1" || len(parts)-3 > 15 {
		return "", fmt.Errorf("%w: a SID is S-1, an authority and numbers, joined by -", ErrIdentifier)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return "", fmt.Errorf("%w: a SID's authority is a number of 48 bits", ErrIdentifier)
	}
	b := binary.BigEndian.AppendUint64(nil, authority)
	b[0], b[1] = 1, byte(len(parts)-3)
	for _, part := range parts[3:] {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return "", fmt.Errorf("%w: a SID's sub-authorities are numbers of 32 bits", ErrIdentifier)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return SID(b), nil
}

func validSID(s string) bool {
	return len(s) >= 8 && s[0] == 1 && s[1] <= 15 && len(s) == 8+4*int(s[1])
}

// MustParseSID is ParseSID for constants; it panics on a malformed one.
func MustParseSID(s string) SID {
	sid, err := ParseSID(s)
	if err != nil {
		panic(err)
	}
	return sid
}

// String is the S-1-... form.
func (s SID) String() string {
	if !validSID(string(s)) {
		return ""
	}
	b := []byte(s)
	authority := uint64(binary.BigEndian.Uint16(b[2:4]))<<32 | uint64(binary.BigEndian.Uint32(b[4:8]))
	text := strconv.AppendUint(append(make([]byte, 0, len("S-1-5-21-4294967295-4294967295-4294967295-4294967295")), "S-1-"...), authority, 10)
	for i := 8; i < len(b); i += 4 {
		text = strconv.AppendUint(append(text, '-'), uint64(binary.LittleEndian.Uint32(b[i:])), 10)
	}
	return string(text)
}

// WithRID is the identifier of an account of the domain whose identifier s is.
func (s SID) WithRID(rid uint32) SID {
	b := binary.LittleEndian.AppendUint32([]byte(s), rid)
	b[1]++
	return SID(b)
}

// RID is the last number of the identifier, and what it is relative to.
func (s SID) RID() (domain SID, rid uint32) {
	if !validSID(string(s)) || s[1] == 0 {
		return "", 0
	}
	b := []byte(s)
	rest := b[:len(b)-4]
	rid = binary.LittleEndian.Uint32(b[len(b)-4:])
	rest[1]--
	return SID(rest), rid
}
