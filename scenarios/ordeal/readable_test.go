package ordeal_test

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"

	"passback/writeback/protocol"
)

// readable tells whose password can be read in text: as UTF-8, as the UTF-16LE of unicodePwd, or that in base64.
func readable(text string, all []told) string {
	for _, told := range all {
		for _, secret := range []protocol.Secret{told.ask.Old, told.ask.New} {
			if secret.Empty() {
				continue
			}
			for _, form := range formsOf(secret.Reveal()) {
				if strings.Contains(text, form) {
					return told.sam
				}
			}
		}
	}
	return ""
}

func formsOf(secret string) []string {
	var wide []byte
	for _, unit := range utf16.Encode([]rune(`"` + secret + `"`)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	return []string{secret, string(wide[2 : len(wide)-2]), base64.RawStdEncoding.EncodeToString(wide), base64.RawStdEncoding.EncodeToString([]byte(secret))}
}
