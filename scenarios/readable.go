package scenarios

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf16"
)

// readable tells in which form text can be read in what was seen; empty: in none. The forms are those in which a
// password travels or is dumped: UTF-8, UTF-16LE as unicodePwd has it, and both in base64 (at each of its three
// alignments) and hex.
func readable(seen []byte, text string) string {
	for _, plain := range []struct {
		name  string
		bytes []byte
	}{{"UTF-8", []byte(text)}, {"UTF-16LE", utf16le(text)}} {
		if bytes.Contains(seen, plain.bytes) {
			return plain.name
		}
		if bytes.Contains(bytes.ToLower(seen), []byte(hex.EncodeToString(plain.bytes))) {
			return plain.name + " in hex"
		}
		for shift := range 3 {
			if bytes.Contains(seen, base64Core(plain.bytes, shift, base64.RawStdEncoding)) ||
				bytes.Contains(seen, base64Core(plain.bytes, shift, base64.RawURLEncoding)) {
				return plain.name + " in base64"
			}
		}
	}
	return ""
}

func utf16le(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

// base64Core is what every base64 text that holds plain, beginning shift bytes after a group of three, must contain.
func base64Core(plain []byte, shift int, encoding *base64.Encoding) []byte {
	padded := append(make([]byte, shift), plain...)
	padded = padded[:len(padded)-len(padded)%3]
	encoded := encoding.EncodeToString(padded)
	first := []int{0, 2, 3}[shift] // characters that shift bytes of something else take part in
	return []byte(encoded[first:])
}
