package main

import (
	"errors"
	"fmt"
	"strings"

	"passback/fakerelay"
)

var claims = map[string]fakerelay.Rights{"Manage": fakerelay.Manage | fakerelay.Send | fakerelay.Listen, "Send": fakerelay.Send, "Listen": fakerelay.Listen}

// parseKey reads NAME=SECRET=Manage,Send,Listen. It splits at the first and the last equals sign, since a secret in
// base64 ends in some. Its errors never repeat the secret.
func parseKey(text string) (fakerelay.Key, error) {
	name, rest, ok := strings.Cut(text, "=")
	last := strings.LastIndexByte(rest, '=')
	if !ok || last < 1 || name == "" {
		return fakerelay.Key{}, errors.New("--key is not NAME=SECRET=CLAIMS, with claims such as Send,Listen")
	}
	k := fakerelay.Key{Name: name, Secret: rest[:last]}
	for claim := range strings.SplitSeq(rest[last+1:], ",") {
		right, known := claims[claim]
		if !known {
			return fakerelay.Key{}, fmt.Errorf("--key %s: its claims, after the last '=', are not of Manage, Send, Listen", name)
		}
		k.Rights |= right
	}
	return k, nil
}
