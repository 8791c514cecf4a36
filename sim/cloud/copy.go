package cloud

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"passback/writeback/protocol"
)

// What Entra documents of hash synchronisation: a salt of 10 bytes a user, 1,000 iterations of PBKDF2
// with HMAC-SHA256. Left out: the MD4 beneath it, which is what the directory would hand over.
const (
	copySalt       = 10
	copyIterations = 1000
)

// passwordCopy is what the cloud keeps of a password: a salted hash.
type passwordCopy struct{ salt, hash []byte }

func newCopy(password protocol.Secret) passwordCopy {
	salt := make([]byte, copySalt)
	_, _ = rand.Read(salt) // never fails: it ends the program instead
	return passwordCopy{salt: salt, hash: hashOf(password, salt)}
}

func (c passwordCopy) empty() bool { return c.hash == nil }

func (c passwordCopy) is(password protocol.Secret) bool {
	return !c.empty() && subtle.ConstantTimeCompare(c.hash, hashOf(password, c.salt)) == 1
}

func hashOf(password protocol.Secret, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, password.Reveal(), salt, copyIterations, sha256.Size)
	if err != nil {
		// The parameters are constants; only a FIPS build that forbids them gets here.
		panic(fmt.Sprintf("hash a password: %v", err))
	}
	return key
}
