package protocol

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// A Secret is a password, a key or a token. It prints, logs and marshals as "[redacted]", also as an unexported
// field of another struct, where fmt sees no methods: the value lies behind a pointer. The zero value is empty.
type Secret struct{ value *string }

// NewSecret keeps s out of sight.
func NewSecret(s string) Secret { return Secret{value: &s} }

// Reveal returns the secret itself. It belongs in the call that needs it and in no variable that lives on.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is nothing to keep.
func (s Secret) Empty() bool { return s.value == nil || *s.value == "" }

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps a secret out of JSON, YAML and every other encoder that asks. What must travel is written
// by the sealing code, from Reveal.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
