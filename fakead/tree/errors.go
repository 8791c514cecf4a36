package tree

// What a domain controller answers when it refuses a change: the LDAP result code, the Windows error that the
// diagnostic begins with, and the directory's own problem number (MS-ADTS 3.1.1.3.1.9). DSIDs name a place in
// Windows' source and differ from build to build; these were seen on real ones.

import (
	"fmt"
)

// An Error is a refusal by the directory.
type Error struct {
	Code      int        // LDAP result code
	Windows   uint32     // Win32 error, the first 8 digits of the diagnostic
	Matched   DN         // the nearest ancestor that exists, for NO_OBJECT and the like
	Attribute *Attribute // that the refusal is about, or nil

	kind    string // AtrErr, UpdErr, NameErr, SvcErr or LdapErr
	dsid    string
	problem string // number and name; the comment of an LdapErr
}

var (
	errNoRDN               = Error{Code: 2, Windows: 0x57, kind: "LdapErr", dsid: "0C0C0095", problem: textUndecodable}
	errNoSuchAttributeType = Error{Code: 16, Windows: 0x57, kind: "LdapErr", dsid: "0C0910F4", problem: textConversion}
	errNoSuchAttribute     = Error{Code: 16, Windows: 0x2084, kind: "AtrErr", dsid: "03152B78", problem: "1001 (NO_ATTRIBUTE_OR_VAL)"}
	errNoSuchValue         = Error{Code: 16, Windows: 0x2085, kind: "AtrErr", dsid: "03152B78", problem: "1001 (NO_ATTRIBUTE_OR_VAL)"}
	errUndefinedType       = Error{Code: 17, Windows: 0x200C, kind: "AtrErr", dsid: "03152612", problem: "1002 (UNDEFINED_ATT_TYPE)"}
	errConstructed         = Error{Code: 19, Windows: 0x211B, kind: "AtrErr", dsid: "03151C1E", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errSystemOnly          = Error{Code: 19, Windows: 0x20B1, kind: "AtrErr", dsid: "03151C1E", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errRange               = Error{Code: 19, Windows: 0x2082, kind: "AtrErr", dsid: "03151DE4", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errNoValues            = Error{Code: 19, Windows: 0x202F, kind: "AtrErr", dsid: "03151DE4", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errNoValuesToAdd       = Error{Code: 19, Windows: 0x2077, kind: "AtrErr", dsid: "03151DE4", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errManyValues          = Error{Code: 19, Windows: 0x202F, kind: "AtrErr", dsid: "03151A5A", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errItsName             = Error{Code: 19, Windows: 0x202F, kind: "AtrErr", dsid: "03151C1E", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errHeuristics          = Error{Code: 19, Windows: 0x2082, kind: "AtrErr", dsid: "03151DE4", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errNoReference         = Error{Code: 19, Windows: 0x20B5, kind: "AtrErr", dsid: "03152804", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errUPNNotUnique        = Error{Code: 19, Windows: 0x21C8, kind: "AtrErr", dsid: "03200CF6", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errSPNNotUnique        = Error{Code: 19, Windows: 0x21C7, kind: "AtrErr", dsid: "03200CEE", problem: "1005 (CONSTRAINT_ATT_TYPE)"}
	errValueExists         = Error{Code: 20, Windows: 0x2083, kind: "AtrErr", dsid: "031519F7", problem: "1006 (ATT_OR_VALUE_EXISTS)"}
	errSingleValued        = Error{Code: 20, Windows: 0x2081, kind: "AtrErr", dsid: "03151A5A", problem: "1006 (ATT_OR_VALUE_EXISTS)"}
	errSyntax              = Error{Code: 21, Windows: 0x57, kind: "LdapErr", dsid: "0C090F39", problem: textConversion}
	errNoObject            = Error{Code: 32, Windows: 0x208D, kind: "NameErr", dsid: "03100245", problem: "2001 (NO_OBJECT)"}
	errNoMember            = Error{Code: 32, Windows: 0x525, kind: "NameErr", dsid: "031A1211", problem: "2001 (NO_OBJECT)"}
	errNameSyntax          = Error{Code: 34, Windows: 0x2032, kind: "NameErr", dsid: "03100225", problem: "2006 (BAD_NAME)"}
	errBadName             = Error{Code: 34, Windows: 0x208F, kind: "NameErr", dsid: "03100225", problem: "2006 (BAD_NAME)"}
	errUnwilling           = Error{Code: 53, Windows: 0x2035, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errOwnedBySAM          = Error{Code: 53, Windows: 0x209A, kind: "SvcErr", dsid: "031A1081", problem: textWillNotPerform}
	errIllegalSettings     = Error{Code: 53, Windows: 0x20E7, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errBackLink            = Error{Code: 53, Windows: 0x20B1, kind: "SvcErr", dsid: "03190B6D", problem: textWillNotPerform}
	errIllegalChange       = Error{Code: 53, Windows: 0x2077, kind: "SvcErr", dsid: "031903E3", problem: textWillNotPerform}
	errGroupType           = Error{Code: 53, Windows: 0x2141, kind: "SvcErr", dsid: "031A1158", problem: textWillNotPerform}
	errNotAMember          = Error{Code: 53, Windows: 0x561, kind: "SvcErr", dsid: "031A1236", problem: textWillNotPerform}
	errNotAMemberOf        = Error{Code: 53, Windows: 0x529, kind: "SvcErr", dsid: "031A11D9", problem: textWillNotPerform}
	errCannotDelete        = Error{Code: 53, Windows: 0x20CE, kind: "SvcErr", dsid: "031A1269", problem: textWillNotPerform}
	errRDNOfAnotherType    = Error{Code: 53, Windows: 0x2035, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errMoveOfHead          = Error{Code: 53, Windows: 0x2183, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errMoveInSchema        = Error{Code: 53, Windows: 0x2184, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errMoveByFlag          = Error{Code: 53, Windows: 0x2185, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errWrongGrandparent    = Error{Code: 53, Windows: 0x2186, kind: "SvcErr", dsid: "031A1202", problem: textWillNotPerform}
	errEmptyRDN            = Error{Code: 64, Windows: 0x209E, kind: "NameErr", dsid: "03050F78", problem: "2005 (NAMING_VIOLATION)"}
	errNaming              = Error{Code: 64, Windows: 0x2099, kind: "NameErr", dsid: "03050F78", problem: "2005 (NAMING_VIOLATION)"}
	errManyRDNs            = Error{Code: 64, Windows: 0x2037, kind: "NameErr", dsid: "03050F78", problem: "2005 (NAMING_VIOLATION)"}
	errRDNType             = Error{Code: 64, Windows: 0x2073, kind: "NameErr", dsid: "0305109C", problem: "2005 (NAMING_VIOLATION)"}
	errMissingAttribute    = Error{Code: 65, Windows: 0x207C, kind: "UpdErr", dsid: "03151D43", problem: "6002 (OBJ_CLASS_VIOLATION)"}
	errNotInClass          = Error{Code: 65, Windows: 0x207D, kind: "UpdErr", dsid: "0315121C", problem: "6002 (OBJ_CLASS_VIOLATION)"}
	errObjectClass         = Error{Code: 65, Windows: 0x2014, kind: "UpdErr", dsid: "0315086F", problem: "6002 (OBJ_CLASS_VIOLATION)"}
	errContextHeld         = Error{Code: 66, Windows: 0x2162, kind: "UpdErr", dsid: "03030BE8", problem: "6003 (CANT_ON_NON_LEAF)"}
	errKindOfAccount       = Error{Code: 65, Windows: 0x217C, kind: "UpdErr", dsid: "031A1202", problem: "6002 (OBJ_CLASS_VIOLATION)"}
	errNonLeaf             = Error{Code: 66, Windows: 0x2015, kind: "UpdErr", dsid: "031A1213", problem: "6003 (CANT_ON_NON_LEAF)"}
	errOnRDN               = Error{Code: 67, Windows: 0x2016, kind: "UpdErr", dsid: "031A11D3", problem: "6004 (CANT_ON_RDN)"}
	errEntryExists         = Error{Code: 68, Windows: 0x2071, kind: "UpdErr", dsid: "030503CF", problem: "6005 (ENTRY_EXISTS)"}
	errAccountExists       = Error{Code: 68, Windows: 0x524, kind: "UpdErr", dsid: "031A1261", problem: "6005 (ENTRY_EXISTS)"}
	errPrimaryGroup        = Error{Code: 68, Windows: 0x2071, kind: "UpdErr", dsid: "031A11E2", problem: "6005 (ENTRY_EXISTS)"}
	errAccountName         = Error{Code: 80, Windows: 0x523, kind: "SysErr", dsid: "031A120C", problem: "22 (Invalid argument)"}
	errSpecialAccount      = Error{Code: 80, Windows: 0x55B, kind: "SysErr", dsid: "031A120C", problem: "22 (Invalid argument)"}
	errNoParent            = Error{Code: 80, Windows: 0x2089, kind: "UpdErr", dsid: "031B0D30", problem: "5012 (DIR_ERROR)"}
	errSystemContainer     = Error{Code: 80, Windows: 0x21A7, kind: "SvcErr", dsid: "031A1202", problem: "5012 (DIR_ERROR)"}
	errAlreadyMember       = Error{Code: 68, Windows: 0x562, kind: "UpdErr", dsid: "031A11E2", problem: "6005 (ENTRY_EXISTS)"}
)

const (
	textUndecodable    = "Error decoding ldap message"
	textConversion     = "Error in attribute conversion operation"
	textWillNotPerform = "5003 (WILL_NOT_PERFORM)"
)

// about makes an error out of one of the constants above.
func (e Error) about(a *Attribute) *Error {
	e.Attribute = a
	return &e
}

// near makes an error out of one of the constants above, with the nearest ancestor that exists.
func (e Error) near(matched DN) *Error {
	e.Matched = matched
	return &e
}

// NotDynamic is the refusal to refresh an entry that does not expire.
func NotDynamic() error { return errObjectClass.about(nil) }

// BadName is the refusal of a name that ParseDN does not take.
func BadName() error { return errBadName.near(nil) }

// Error says what was refused and why. It quotes no value: one could be a secret.
func (e *Error) Error() string {
	text := fmt.Sprintf("the directory refuses (code %d, %08X %s)", e.Code, e.Windows, e.problem)
	if e.Attribute != nil {
		text += ", attribute " + e.Attribute.Name
	}
	return text
}

// Diagnostic is the text on the wire. build is the DC's own suffix of an LdapErr, such as v4f7c.
func (e *Error) Diagnostic(build string) string {
	switch e.kind {
	case "LdapErr":
		return fmt.Sprintf("%08X: LdapErr: DSID-%s, comment: %s, data 0, %s\x00", e.Windows, e.dsid, e.problem, build)
	case "AtrErr":
		return fmt.Sprintf("%08X: AtrErr: DSID-%s, #1:\n\t0: %08X: DSID-%s, problem %s, data 0, Att %x (%s)\n\x00",
			e.Windows, e.dsid, e.Windows, e.dsid, e.problem, e.Attribute.Type(), e.Attribute.Name)
	case "NameErr":
		return fmt.Sprintf("%08X: NameErr: DSID-%s, problem %s, data 0, best match of:\n\t'%s'\n\x00", e.Windows, e.dsid, e.problem, e.Matched)
	default:
		return fmt.Sprintf("%08X: %s: DSID-%s, problem %s, data 0\n\x00", e.Windows, e.kind, e.dsid, e.problem)
	}
}
