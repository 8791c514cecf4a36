package tree

// A FilterKind is a choice of Filter, RFC 4511 4.5.1.7.
type FilterKind int

// The kinds of filter. An approximate match is one of equality, as a domain controller takes it.
const (
	FilterAnd FilterKind = iota
	FilterOr
	FilterNot
	FilterPresent
	FilterEqual
	FilterSubstrings
	FilterGreaterOrEqual
	FilterLessOrEqual
	FilterExtensible
)

// A Filter is one clause of a search filter, with those below it.
type Filter struct {
	Kind      FilterKind
	Children  []*Filter // of an and or an or, none of them being true or false (RFC 4526); the one of a not
	Attribute string    // as written; empty in an extensible match by rule alone
	Rule      string    // OID of an extensible match's rule
	Value     []byte
	Parts     [][]byte // of a substring match: initial, any..., final; the first and last may be empty
}
