package protocol

import (
	"errors"
	"testing"
)

// A content key is A256GCM's, whatever was wrapped: crypto/aes would take a shorter one for AES-128.
func TestContentKeyHasItsSize(t *testing.T) {
	key, err := NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]error{contentKeySize: nil, 16: ErrTampered, 24: ErrTampered} {
		contentKey := make([]byte, size)
		ephemeral, wrapped, err := wrap(key.Public(), contentKey)
		if err != nil {
			t.Fatal(err)
		}
		aead, err := newAEAD(contentKey)
		if err != nil {
			t.Fatal(err)
		}
		protected := []byte("header")
		if _, err := decrypt(key, ephemeral, wrapped, aead.Seal(nil, nil, []byte("{}"), protected), protected); !errors.Is(err, want) {
			t.Errorf("a content key of %d bytes: %v, want %v", size, err, want)
		}
	}
}
