package password

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"unicode/utf16"
)

// A Stored is what is kept of a password: a salted SHA-256 digest of its UTF-16. It is quick on purpose, as
// Windows' own NT hash is: a domain for tests checks thousands of passwords a second.
type Stored struct{ salt, digest [32]byte }

// storedSize is the length of a Stored as bytes.
const storedSize = 32 + 32

// Store digests a password.
func Store(password string) Stored {
	var st Stored
	_, _ = rand.Read(st.salt[:]) // never fails
	st.digest = digest(st.salt, password)
	return st
}

func digest(salt [32]byte, password string) [32]byte {
	b := append(make([]byte, 0, len(salt)+2*len(password)), salt[:]...)
	for _, unit := range utf16.Encode([]rune(password)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return sha256.Sum256(b)
}

// Is tells whether this is the password.
func (st Stored) Is(password string) bool {
	d := digest(st.salt, password)
	return subtle.ConstantTimeCompare(d[:], st.digest[:]) == 1
}

// String keeps a digest out of logs.
func (st Stored) String() string { return "[redacted]" }

// GoString keeps a digest out of logs.
func (st Stored) GoString() string { return "[redacted]" }

// Encode writes passwords as one value, for an attribute that nobody can read.
func Encode(history []Stored) []byte {
	var b []byte
	for _, st := range history {
		b = append(append(b, st.salt[:]...), st.digest[:]...)
	}
	return b
}

// Decode reads what Encode wrote. Bytes that it did not write yield nothing.
func Decode(b []byte) []Stored {
	if len(b)%storedSize != 0 {
		return nil
	}
	var history []Stored
	for r := bytes.NewBuffer(b); r.Len() > 0; {
		var st Stored
		copy(st.salt[:], r.Next(32))
		copy(st.digest[:], r.Next(32))
		history = append(history, st)
	}
	return history
}
