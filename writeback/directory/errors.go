package directory

// What a controller's answers mean. The result code says little and the text is not fixed; the eight hexadecimal
// digits that begin it are a Win32 code (MS-ADTS 3.1.1.3.1.9, MS-ERREF 2.2), and the pair is what counts.

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-ldap/ldap/v3"
)

// A Kind is what a failed call means to the caller.
type Kind int

// The kinds.
const (
	Other         Kind = iota // a refusal that the table does not know
	Unreachable               // nothing was sent
	BindRefused               // nothing was sent, nor will be
	NoAnswer                  // a modify was sent, and its result never came
	Exists                    // 20: a marker value is there already, so the request was decided
	Stale                     // 16: a value to be removed is gone already
	PolicyRefused             // by the password policy, whichever rule
	WrongPassword             // the old password of a change
	LockedOut                 // so no change
	CannotChange              // "User cannot change password"
	Denied                    // the bind account lacks a right
	Misconfigured             // the controller lacks something or is asked in the wrong way
	Busy                      // nothing was done; later perhaps
	Unavailable               // likewise, or it referred elsewhere
	NoSuchUser                // the account is gone
)

// Win32 codes that begin a diagnostic message.
const (
	errorAccessDenied        = 0x5
	errorInvalidPassword     = 0x56
	errorWrongPassword       = 0x56A // for 56 in some forms of Windows 2008
	errorPasswordRestriction = 0x52D
	errorAccountLockedOut    = 0x775
)

// sambaACL begins what Samba says where Windows says 00000005.
const sambaACL = "error in module acl"

// A meaning is a row of the table; a zero win32 stands for any.
type meaning struct {
	code  uint16
	win32 uint32
	kind  Kind
}

var meanings = []meaning{
	{ldap.LDAPResultConstraintViolation, errorPasswordRestriction, PolicyRefused},
	{ldap.LDAPResultConstraintViolation, errorInvalidPassword, WrongPassword},
	{ldap.LDAPResultConstraintViolation, errorWrongPassword, WrongPassword},
	{ldap.LDAPResultConstraintViolation, errorAccountLockedOut, LockedOut},
	{ldap.LDAPResultConstraintViolation, errorAccessDenied, CannotChange},
	{ldap.LDAPResultUnwillingToPerform, errorPasswordRestriction, PolicyRefused},
	{ldap.LDAPResultUnwillingToPerform, 0, Misconfigured}, // 0000001F: not encrypted, or not encoded as it must be
	{ldap.LDAPResultInsufficientAccessRights, 0, Denied},
	{ldap.LDAPResultAttributeOrValueExists, 0, Exists},
	{ldap.LDAPResultNoSuchAttribute, 0, Stale},
	{ldap.LDAPResultNoSuchObject, 0, NoSuchUser},
	{ldap.LDAPResultBusy, 0, Busy},
	{ldap.LDAPResultAdminLimitExceeded, 0, Misconfigured}, // the marker's attribute is full
	{ldap.LDAPResultUnavailableCriticalExtension, 0, Misconfigured},
	{ldap.LDAPResultStrongAuthRequired, 0, Misconfigured},
	{ldap.LDAPResultConfidentialityRequired, 0, Misconfigured},
	{ldap.LDAPResultUndefinedAttributeType, 0, Misconfigured},
	{ldap.LDAPResultInvalidAttributeSyntax, 0, Misconfigured},
	{ldap.LDAPResultObjectClassViolation, 0, Misconfigured},
	{ldap.LDAPResultUnavailable, 0, Unavailable},
	{ldap.LDAPResultReferral, 0, Unavailable},
	{ldap.LDAPResultTimeLimitExceeded, 0, Unavailable},
	{ldap.LDAPResultOperationsError, 0, Unavailable}, // the connection is no longer bound
}

// A ResultError is a controller's refusal of one operation.
type ResultError struct {
	Operation  string
	DC         string
	Code       uint16 // RFC 4511 section 4.1.9
	Win32      uint32 // 0: the diagnostic begins with none
	Diagnostic string // printable, shortened
}

func (e *ResultError) Error() string {
	return fmt.Sprintf("%s refused the %s: %d %s: %s", e.DC, e.Operation, e.Code, ldap.LDAPResultCodeMap[e.Code], e.Diagnostic)
}

// A SilenceError says that a call got no result.
type SilenceError struct {
	DC   string
	Sent bool // a modify, which may have been applied
	Err  error
}

func (e *SilenceError) Error() string {
	if e.Sent {
		return fmt.Sprintf("%s did not answer the modify, which it may have applied: %v", e.DC, e.Err)
	}
	return fmt.Sprintf("%s could not be reached, nothing was sent: %v", e.DC, e.Err)
}

func (e *SilenceError) Unwrap() error { return e.Err }

func unreachable(dc string, err error) error { return &SilenceError{DC: dc, Err: err} }

// ErrNoPolicyHints is a set that was not sent, because it would have skipped the policy.
var ErrNoPolicyHints = errors.New("the server doesn't contain the LDAP password policy control") // as the real service words it

// KindOf tells what an error of this package means; nil is Other.
func KindOf(err error) Kind {
	var bind *BindError
	var silence *SilenceError
	var result *ResultError
	switch {
	case errors.As(err, &bind):
		return BindRefused
	case errors.As(err, &silence):
		if silence.Sent {
			return NoAnswer
		}
		return Unreachable
	case errors.As(err, &result):
		return result.kind()
	case errors.Is(err, ErrNoPolicyHints):
		return Misconfigured
	case errors.Is(err, ErrUnreadable), errors.Is(err, errNoVersion):
		return Denied
	case errors.Is(err, errRanges):
		return Busy
	}
	return Other
}

func (e *ResultError) kind() Kind {
	for _, m := range meanings {
		if m.code == e.Code && (m.win32 == 0 || m.win32 == e.Win32) {
			return m.kind
		}
	}
	if e.Code == ldap.LDAPResultConstraintViolation && strings.HasPrefix(e.Diagnostic, sambaACL) {
		return CannotChange
	}
	return Other
}

// resultOf is the controller's own answer in a go-ldap error; nil if it gave none.
func resultOf(operation, dc string, err error) *ResultError {
	var remote *ldap.Error
	if !errors.As(err, &remote) || remote.ResultCode >= ldap.ErrorNetwork {
		return nil
	}
	text := printable(remote.Err.Error())
	if remote.ResultCode == ldap.LDAPResultReferral {
		text = "it is not the controller for this, and refers to another, which is not asked: " + text
	}
	return &ResultError{Operation: operation, DC: dc, Code: remote.ResultCode, Win32: leadingWin32(text), Diagnostic: text}
}

const maxDiagnostic = 300 // runes

// printable takes a diagnostic message as it comes, line ends and a final NUL included.
func printable(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case r == 0:
			return -1
		}
		return ' '
	}, text)
	if runes := []rune(clean); len(runes) > maxDiagnostic {
		clean = string(runes[:maxDiagnostic])
	}
	return strings.TrimSpace(clean)
}

func leadingWin32(text string) uint32 {
	digits, _, found := strings.Cut(text, ":")
	if !found || len(digits) != 8 {
		return 0
	}
	code, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return 0
	}
	return uint32(code)
}
