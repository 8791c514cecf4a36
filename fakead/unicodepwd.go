package fakead

// unicodePwd, MS-ADTS 3.1.1.3.1.5: a password between double quotes in UTF-16LE. A modify that touches it is a
// reset or a change by the form of its clauses; the forms that are neither were measured.

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

const (
	unicodePwd     = "unicodePwd"
	unicodePwdType = 0x9005a // its ATTRTYP, which diagnostics name
)

func isUnicodePwd(name string) bool { return strings.EqualFold(name, unicodePwd) }

// A passwordForm is what the clauses of a modify that name unicodePwd amount to.
type passwordForm int

const (
	noPassword          passwordForm = iota
	resetForm                        // replace
	changeForm                       // delete of the old and add of the new value
	deleteAllAndAddForm              // delete without a value and add: a reset too
	emptyForm                        // a change without a new value
	emptyAddForm                     // an add without a value
	deleteForm                       // one delete alone
	manyValuesForm                   // two values in one clause of a change
	otherForm                        // what is no write of a password: add alone, two adds, a replace without a value
)

// passwordClauses are the clauses of a modify that name unicodePwd, and what they amount to.
type passwordClauses struct {
	form     passwordForm
	old, new []byte   // as written
	resets   [][]byte // the values of a reset, in order: each is judged and set
}

// classify sorts the clauses that name unicodePwd (MS-ADTS 3.1.1.3.1.5.1).
func classify(changes []change) passwordClauses {
	var adds, deletes, replaces []change
	for _, c := range changes {
		switch {
		case !isUnicodePwd(c.name):
		case c.operation == changeAdd:
			adds = append(adds, c)
		case c.operation == changeDelete:
			deletes = append(deletes, c)
		default:
			replaces = append(replaces, c)
		}
	}
	switch {
	case len(adds)+len(deletes)+len(replaces) == 0:
		return passwordClauses{}
	case len(adds) == 0 && len(deletes) == 0:
		return classifyReplaces(replaces)
	case len(adds) == 1 && len(deletes) == 1 && len(replaces) == 0:
		return classifyPair(deletes[0], adds[0])
	case len(adds) == 1 && len(deletes) == 0 && len(replaces) == 0:
		if len(adds[0].values) == 0 {
			return passwordClauses{form: emptyAddForm}
		}
		return passwordClauses{form: otherForm}
	case len(deletes) == 1 && len(adds) == 0 && len(replaces) == 0:
		return passwordClauses{form: deleteForm}
	default:
		return passwordClauses{form: otherForm}
	}
}

func classifyReplaces(replaces []change) passwordClauses {
	p := passwordClauses{form: resetForm}
	for _, c := range replaces {
		if len(c.values) == 0 {
			return passwordClauses{form: otherForm}
		}
		p.resets = append(p.resets, c.values...)
	}
	return p
}

func classifyPair(remove, add change) passwordClauses {
	switch {
	case len(add.values) == 0:
		return passwordClauses{form: emptyForm}
	case len(add.values) > 1 || len(remove.values) > 1:
		return passwordClauses{form: manyValuesForm}
	case len(remove.values) == 0:
		return passwordClauses{form: deleteAllAndAddForm, resets: add.values}
	default:
		return passwordClauses{form: changeForm, old: remove.values[0], new: add.values[0]}
	}
}

// decodePassword reads a quoted UTF-16LE password.
func decodePassword(value []byte) (password string, ok bool) {
	if len(value)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(value)/2)
	for ; len(value) > 0; value = value[2:] {
		units = append(units, binary.LittleEndian.Uint16(value))
	}
	if len(units) < 2 || units[0] != '"' || units[len(units)-1] != '"' {
		return "", false
	}
	return string(utf16.Decode(units[1 : len(units)-1])), true
}
