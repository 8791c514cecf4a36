package directory

import (
	"strings"
	"testing"
)

// An answer as MS-ADTS 6.3.1.9 lays it out, its names compressed as a Windows controller does: suffixes that were
// written before are pointed to.
func answerOfSite(site string) []byte {
	header := "\x17\x00\x00\x00" + "\xfd\xf3\x03\x00" + strings.Repeat("\x00", 16)
	label := func(s string) string { return string(rune(len(s))) + s }
	return []byte(header + // the forest's name is at 24 (0x18)
		label("corp") + label("example") + "\x00" + // DnsForestName
		"\xc0\x18" + // DnsDomainName
		label("dc1") + "\xc0\x18" + // DnsHostName
		label("CORP") + "\x00" + label("DC1") + "\x00" + // NetbiosDomainName, NetbiosComputerName
		"\x00" + // UserName
		label("Head-Office") + "\x00" + // DcSiteName
		site)
}

func TestTheSiteOfAnLDAPPing(t *testing.T) {
	for _, tt := range []struct{ what, site, want string }{
		{"another site than the controller's", "\x06Branch\x00", "Branch"},
		{"the same site, pointed to", "\xc0\x3a", "Head-Office"},
		{"no site", "\x00", ""},
	} {
		if site, err := clientSite(answerOfSite(tt.site)); err != nil || site != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.what, site, err, tt.want)
		}
	}
	for what, answer := range map[string][]byte{
		"empty":                   nil,
		"another opcode":          append([]byte{19}, answerOfSite("\x00")[1:]...),
		"ends before the site":    answerOfSite(""),
		"ends within a label":     answerOfSite("\x09Bran"),
		"ends within a pointer":   answerOfSite("\xc0"),
		"a pointer to itself":     answerOfSite("\xc0\x47"),
		"a pointer forward":       answerOfSite("\xc0\xff"),
		"no name of a DNS record": answerOfSite("\x08a site/1\x00"),
	} {
		if site, err := clientSite(answer); err == nil {
			t.Errorf("%s: read as %q", what, site)
		}
	}
}

func FuzzTheSiteOfAnLDAPPing(f *testing.F) {
	f.Add(answerOfSite("\x06Branch\x00"))
	f.Add(answerOfSite("\xc0\x3a"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if site, err := clientSite(answer); err == nil && site != "" && !siteName.MatchString(site) {
			t.Errorf("a site that is no label: %q", site)
		}
	})
}
