package protocol

import "errors"

// Why a message did not open. Errors of the Open functions wrap one of these.
var (
	ErrTooLarge      = errors.New("larger than a message may be")
	ErrMalformed     = errors.New("not a message of this protocol")
	ErrUnknownKey    = errors.New("sealed under a package key that is not ours")
	ErrTampered      = errors.New("does not open, or what is sealed and what is visible differ")
	ErrForeignTenant = errors.New("sealed for another tenant")
	ErrNoRecipient   = errors.New("the secrets are not sealed to a key that can be used here")
	ErrExpired       = errors.New("the deadline has passed")
	ErrStale         = errors.New("the heartbeat is older than one already seen, or than two intervals")
	ErrInvalid       = errors.New("the content breaks a rule of the protocol")
)
