package security

// The two letters by which SDDL names security identifiers (MS-DTYP 2.5.1.1, and those that Windows added).

import (
	"strconv"

	"passback/fakead/tree"
)

// wellKnown are the same everywhere.
var wellKnown = map[string]tree.SID{
	"WD": Everyone, "CO": CreatorOwner, "CG": CreatorGroup, "OW": OwnerRights, "NU": Network, "PS": Self, "AU": AuthenticatedUsers,
	"IU": tree.MustParseSID("S-1-5-4"), "SU": tree.MustParseSID("S-1-5-6"), "AN": tree.MustParseSID("S-1-5-7"),
	"ED": tree.MustParseSID("S-1-5-9"), "RC": tree.MustParseSID("S-1-5-12"), "SY": tree.MustParseSID("S-1-5-18"),
	"LS": tree.MustParseSID("S-1-5-19"), "NS": tree.MustParseSID("S-1-5-20"), "WR": tree.MustParseSID("S-1-5-33"),
	"AS": tree.MustParseSID("S-1-18-1"), "SS": tree.MustParseSID("S-1-18-2"),
}

// builtin are relative to S-1-5-32.
var builtin = map[string]uint32{
	"BA": 544, "BU": 545, "BG": 546, "PU": 547, "AO": 548, "SO": 549, "PO": 550, "BO": 551, "RE": 552, "RU": 554, "RD": 555, "NO": 556,
	"MU": 558, "LU": 559, "IS": 568, "CY": 569, "ER": 573, "CD": 574, "RA": 575, "ES": 576, "MS": 577, "HA": 578, "AA": 579, "RM": 580,
}

// ofDomain are relative to the domain, in a forest of one domain.
var ofDomain = map[string]uint32{
	"RO": 498, "LA": 500, "LG": 501, "DA": 512, "DU": 513, "DG": 514, "DC": 515, "DD": 516, "CA": 517, "SA": 518, "EA": 519, "PA": 520,
	"CN": 522, "AP": 525, "KA": 526, "EK": 527, "RS": 553,
}

var (
	builtinDomain = tree.MustParseSID("S-1-5-32")
	names         = reverse()
	domainNames   = func() map[uint32]string {
		m := map[uint32]string{}
		for alias, rid := range ofDomain {
			m[rid] = alias
		}
		return m
	}()
)

func reverse() map[tree.SID]string {
	m := map[tree.SID]string{}
	for alias, sid := range wellKnown {
		m[sid] = alias
	}
	for alias, rid := range builtin {
		m[tree.MustParseSID("S-1-5-32-"+strconv.Itoa(int(rid)))] = alias
	}
	return m
}

// sidOf reads an alias or S-1-...
func sidOf(text string, domain tree.SID) (tree.SID, bool) {
	if sid, ok := wellKnown[text]; ok {
		return sid, true
	}
	if rid, ok := builtin[text]; ok {
		return builtinDomain.WithRID(rid), true
	}
	if rid, ok := ofDomain[text]; ok && domain != "" {
		return domain.WithRID(rid), true
	}
	if len(text) < 4 || text[:2] != "S-" {
		return "", false
	}
	sid, err := tree.ParseSID(text)
	return sid, err == nil
}

// nameOf is the alias of an identifier, or S-1-...
func nameOf(sid, domain tree.SID) string {
	if name, ok := names[sid]; ok {
		return name
	}
	if above, rid := sid.RID(); above == domain && domain != "" {
		if name, ok := domainNames[rid]; ok {
			return name
		}
	}
	return sid.String()
}
