package fakead

// What the fake makes of each feature of a domain controller, said in the tables beside the code: of operations, extended
// operations, controls, constructed attributes. SUPPORTED.md is written from them by its test.

// A support is how much of a feature there is.
type support string

const (
	yes    support = "yes"
	partly support = "partly"
	no     support = "no" // accepted, and without effect unless the note says otherwise
)

// A feature is a row of SUPPORTED.md.
type feature struct {
	name    string
	support support
	note    string // what is left out or differs, and where that is from
}
