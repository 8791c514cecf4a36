package fakead

import "fmt"

// The shapes of Windows' diagnostic messages, MS-ADTS 3.1.1.3.1.9. Only the first eight hexadecimal digits, a
// Win32 code, are contractual. DSIDs tell where in the server's source an error arose and differ from build to
// build: the ones used here were seen on real servers. LdapErr ends in NUL, all others in newline and NUL.
const (
	formatLdapErr = "%08X: LdapErr: DSID-%s, comment: %s, data %s, %s\x00"
	formatSvcErr  = "%08X: SvcErr: DSID-%s, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
	formatSecErr  = "%08X: SecErr: DSID-%s, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\x00"
	formatSysErr  = "%08X: SysErr: DSID-%s, problem 22 (Invalid argument), data 0\n\x00"
	formatAtrErr  = "%08X: AtrErr: DSID-%s, #1:\n\t0: %08[1]X: DSID-%[2]s, problem %d (%s), data 0, Att %x (%s)\n\x00"
)

// Win32 codes of MS-ERREF that diagnostic messages begin with.
const (
	errorAccessDenied                    = 0x5
	errorGenFailure                      = 0x1F
	errorInvalidPassword                 = 0x56
	errorInvalidParameter                = 0x57
	errorNotAuthenticated                = 0x4DC
	errorPasswordRestriction             = 0x52D
	errorAccountLockedOut                = 0x775
	errorInvalidOwner                    = 0x51B
	errorDSSingleValue                   = 0x2081
	errorDSNoAttributeOrValue            = 0x200A
	errorDSAuthMethodNotSupported        = 0x2027
	errorDSStrongAuthRequired            = 0x2028
	errorDSUnwilling                     = 0x2035
	errorDSDecodingError                 = 0x203D // also: an extended operation that it does not know
	errorDSConstraintViolation           = 0x202F
	errorDSIllegalModification           = 0x2077 // also: a password of what is no account
	errorDSInsufficientAttrRights        = 0x2098
	errorDSServerDown                    = 0x203A
	secInvalidToken               uint32 = 0x80090308
	secContextExpired             uint32 = 0x80090317
)

// The ends of LdapErr texts: the build of the operating system, in hexadecimal.
var builds = map[string]string{"2012R2": "v2580", "2016": "v3839", "2019": "v4563", "2022": "v4f7c", "2025": "v65f4"}

// texts are the messages that name the server's build.
type texts struct{ build string }

func (t texts) ldapErr(win32 uint32, dsid, comment, data string) string {
	return fmt.Sprintf(formatLdapErr, win32, dsid, comment, data, t.build)
}

func (t texts) undecodable() string {
	return t.ldapErr(errorInvalidParameter, "0C0C0095", "Error decoding ldap message", "0")
}

func (t texts) shuttingDown() string {
	return t.ldapErr(errorDSServerDown, "0C060352", "The server is shutting down", "0")
}

func (t texts) notBound() string {
	return t.ldapErr(errorNotAuthenticated, "0C090A5A", "In order to perform this operation a successful bind must be completed on the connection.", "0")
}

func (t texts) controlError() string {
	return t.ldapErr(errorInvalidParameter, "0C090CAD", "Error processing control", "0")
}

func (t texts) unknownExtended() string {
	return t.ldapErr(errorDSDecodingError, "0C090F1B", "Unknown extended request OID", "0")
}

func (t texts) alreadySecured() string {
	return t.ldapErr(0, "0C090ED4", "TLS or SSL already in effect", "0")
}

func (t texts) authMethod() string {
	return t.ldapErr(errorDSAuthMethodNotSupported, "0C09016D", "Invalid Authentication method", "0")
}

func (t texts) noTLSCredentials() string {
	return t.ldapErr(secContextExpired, "0C090635", "The server did not receive any credentials via TLS", "0")
}

func (t texts) signingRequired() string {
	return t.ldapErr(errorDSStrongAuthRequired, "0C090343", `The server requires binds to turn on integrity checking if SSL\TLS are not already active on the connection`, "0")
}

// catalogWrite is quoted with Zimbra-Community/ADPassword#22, from a Windows Server 2012 R2.
func (t texts) catalogWrite() string {
	return t.ldapErr(errorDSUnwilling, "0C090D21", "Operation not allowed through GC port", "0")
}

func (t texts) unknownAttribute() string {
	return t.ldapErr(errorInvalidParameter, "0C0910F4", "Error in attribute conversion operation", "0")
}

// svcErr is 53, unwillingToPerform.
func svcErr(win32 uint32, dsid string) result {
	return result{code: codeUnwillingToPerform, text: fmt.Sprintf(formatSvcErr, win32, dsid)}
}

// secErr is 50, insufficientAccessRights.
func secErr(win32 uint32, dsid string) result {
	return result{code: codeInsufficientAccess, text: fmt.Sprintf(formatSecErr, win32, dsid)}
}

// The attribute problems of MS-ADTS 3.1.1.3.1.9 and the result code that each goes with.
var attributeProblems = map[int]struct {
	number int
	name   string
}{
	codeNoSuchAttribute:     {1001, "NO_ATTRIBUTE_OR_VAL"},
	codeInvalidSyntax:       {1000, "INVALID_ATT_SYNTAX"},
	codeConstraintViolation: {1005, "CONSTRAINT_ATT_TYPE"},
	codeAttributeOrValue:    {1006, "ATT_OR_VALUE_EXISTS"},
}

// atrErr is an error about one attribute, whose attributeID is the internal number of its OID.
func atrErr(code int, win32 uint32, dsid string, attributeID uint32, name string) result {
	p := attributeProblems[code]
	return result{code: code, text: fmt.Sprintf(formatAtrErr, win32, dsid, p.number, p.name, attributeID, name)}
}
