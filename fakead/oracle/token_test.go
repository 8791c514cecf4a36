package oracle

// Tokens are separated by blanks: words, "quoted strings", and kind:"quoted strings" for values that are written
// another way than as text. {name} stands for what the two servers do not have in common, or what nobody wants to
// write out.

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

type token struct {
	kind   string // empty, "raw", "utf16", "hex" or "long"
	text   string
	quoted bool
}

func tokenize(line string) ([]token, error) {
	var tokens []token
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " \t") {
		quote := strings.IndexByte(line, '"')
		blank := strings.IndexAny(line, " \t")
		if quote < 0 || blank >= 0 && blank < quote {
			word, rest, _ := strings.Cut(line, " ")
			tokens, line = append(tokens, token{text: word}), rest
			continue
		}
		text, err := strconv.QuotedPrefix(line[quote:])
		if err != nil {
			return nil, fmt.Errorf("a string is not closed: %s", line)
		}
		plain, err := strconv.Unquote(text)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token{kind: strings.TrimSuffix(line[:quote], ":"), text: plain, quoted: true})
		line = line[quote+len(text):]
	}
	return tokens, nil
}

// isSecret: a password as people write it.
func (t token) isSecret() bool { return t.quoted && (t.kind == "" || t.kind == "long") }

// secret is the text of a password.
func (t token) secret() string {
	if t.kind == "long" { // as many characters, of all kinds
		n, _ := strconv.Atoi(t.text)
		return strings.Repeat("Ab1!", n/4+1)[:n]
	}
	return t.text
}

// bytes is a value of an attribute; what is quoted without a kind is a password if the attribute is one.
func (t token) bytes(attribute string, expand func(string) string) (string, error) {
	switch t.kind {
	case "raw":
		return t.text, nil
	case "utf16":
		return encodeUTF16(t.text), nil
	case "hex":
		b, err := hex.DecodeString(t.text)
		return string(b), err
	case "", "long":
		if t.quoted && strings.EqualFold(attribute, "unicodePwd") {
			return encodeUTF16(`"` + t.secret() + `"`), nil
		}
		return expand(t.secret()), nil
	default:
		return "", fmt.Errorf("no such kind of value: %s", t.kind)
	}
}

func encodeUTF16(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}
