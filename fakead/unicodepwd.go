package fakead

// unicodePwd, MS-ADTS 3.1.1.3.1.5: a password between double quotes in UTF-16LE. A modify that touches it, or
// userPassword where that is a password, is a reset or a change by the form of its clauses; the forms that are
// neither were measured.

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"passback/fakead/tree"
)

const unicodePwd = "unicodePwd"

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
	plainDeleteForm                  // the same of userPassword
	manyValuesForm                   // two values in one clause of a change
	evenForm                         // as many deletes as adds, or deletes only; more than one: no write of a password
	otherForm                        // what is none either: add alone, two adds, a replace without a value
)

// passwordClauses are the clauses of a modify that write a password, and what they amount to.
type passwordClauses struct {
	form      passwordForm
	attribute string // of the first of them
	andPlain  bool   // userPassword is a password too
	old, new  written
	resets    []written // the values of a reset, in order: the last one counts
}

// written is a value of an attribute that is a password.
type written struct {
	value []byte
	plain bool // of userPassword
}

// contain tells whether a change is one of them.
func (p passwordClauses) contain(c change) bool {
	return isUnicodePwd(c.name) || p.andPlain && strings.EqualFold(c.name, userPassword)
}

// classify sorts the clauses that write a password (MS-ADTS 3.1.1.3.1.5.1). andPlain: userPassword is one too.
func classify(changes []change, andPlain bool) passwordClauses {
	p := passwordClauses{andPlain: andPlain}
	var adds, deletes, replaces []change
	for _, c := range changes {
		if p.attribute == "" && p.contain(c) {
			p.attribute = tree.LookupAttribute(c.name).Name
		}
		switch {
		case !p.contain(c):
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
	case len(adds) == 0 && len(deletes) == 0:
		p.classifyReplaces(replaces)
	case len(adds) == 1 && len(deletes) == 1 && len(replaces) == 0:
		p.classifyPair(deletes[0], adds[0])
	case len(adds) == 1 && len(adds[0].values) == 0 && len(deletes) == 0 && len(replaces) == 0:
		p.form = emptyAddForm
	case len(deletes) == 1 && len(adds) == 0 && len(replaces) == 0:
		p.form = deleteForm
		if !isUnicodePwd(p.attribute) {
			p.form = plainDeleteForm
		}
	case len(deletes) >= len(adds) && (len(adds) == 0 || len(adds) == len(deletes)) && len(replaces) == 0:
		p.form = evenForm
	default:
		p.form = otherForm
	}
	return p
}

func (p *passwordClauses) classifyReplaces(replaces []change) {
	p.form = resetForm
	for _, c := range replaces {
		if len(c.values) == 0 || !strings.EqualFold(c.name, p.attribute) {
			p.form = otherForm
			return
		}
		p.resets = append(p.resets, c.written()...)
	}
}

func (p *passwordClauses) classifyPair(remove, add change) {
	switch {
	case len(add.values) == 0:
		p.form = emptyForm
	case len(add.values) > 1 || len(remove.values) > 1:
		p.form = manyValuesForm
	case len(remove.values) == 0:
		p.form, p.resets = deleteAllAndAddForm, add.written()
	default:
		p.form, p.old, p.new = changeForm, remove.written()[0], add.written()[0]
	}
}

// violation is 19, constraintViolation, about the attribute that the password was written to.
func (p passwordClauses) violation(win32 uint32) result { return passwordAtrErr(win32, p.attribute) }

func passwordAtrErr(win32 uint32, attribute string) result {
	dsid := "03190F80"
	if win32 == errorAccessDenied {
		dsid = "03191083"
	}
	return atrErr(codeConstraintViolation, win32, dsid, tree.LookupAttribute(attribute).Type(), attribute)
}

func (c change) written() []written {
	values := make([]written, len(c.values))
	for i, v := range c.values {
		values[i] = written{value: v, plain: !isUnicodePwd(c.name)}
	}
	return values
}

func (w written) isEmpty() bool { return len(w.value) == 0 }

// decode reads the password of a value.
func (w written) decode() (password string, ok bool) {
	if w.plain {
		return string(w.value), utf8.Valid(w.value)
	}
	return decodePassword(w.value)
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
