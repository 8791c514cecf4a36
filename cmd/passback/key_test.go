package main

import (
	"strings"
	"testing"

	"passback/fakerelay"
)

func TestParseKeySplitsAtTheFirstAndTheLastEqualsSign(t *testing.T) {
	k, err := parseKey("mine=c2VjcmV0==+/==Send,Listen")
	if err != nil {
		t.Fatal(err)
	}
	if k.Name != "mine" || k.Secret != "c2VjcmV0==+/=" || k.Rights != fakerelay.Send|fakerelay.Listen {
		t.Errorf("name %q, rights %s, secret of %d bytes", k.Name, k.Rights, len(k.Secret))
	}
	if k, err := parseKey("all=x=Manage"); err != nil || !k.Rights.Has(fakerelay.Send|fakerelay.Listen|fakerelay.Manage) {
		t.Errorf("Manage does not include Send and Listen: %s, %v", k.Rights, err)
	}
}

func TestParseKeyNeverRepeatsTheSecret(t *testing.T) {
	for _, text := range []string{"", "name", "name=hushhush", "=hushhush=Send", "name==Send", "name=hushhush=Steal", "name=hush=hushhush"} {
		_, err := parseKey(text)
		if err == nil {
			t.Errorf("%d bytes of nonsense were taken for a key", len(text))
		} else if strings.Contains(err.Error(), "hushhush") {
			t.Errorf("the error repeats the secret: %d bytes of input", len(text))
		}
	}
}
