package protocol_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"passback/writeback/protocol"
)

func TestSecretsNeverPrint(t *testing.T) {
	const password = "Correct-Horse-7"
	key, err := protocol.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	pem, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	packageKey, err := protocol.ParsePackageKey("k1", protocol.NewSecret(strings.Repeat("A", 43)))
	if err != nil {
		t.Fatal(err)
	}
	type nested struct {
		hidden  protocol.Secret // fmt cannot call methods here
		Visible protocol.Secret
		Key     protocol.PrivateKey
		Package protocol.PackageKey
	}
	s := protocol.NewSecret(password)
	n := nested{hidden: s, Visible: s, Key: key, Package: packageKey}
	var out bytes.Buffer
	for _, v := range []any{s, &s, n, &n, []protocol.Secret{s}, map[string]protocol.Secret{"p": s}, protocol.Secrets{Old: s, New: s}, key, packageKey} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		slog.New(slog.NewTextHandler(&out, nil)).Info("said", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("said", "v", v)
	}
	for _, kept := range []string{password, fmt.Sprintf("%x", password), strings.Split(string(pem), "\n")[1], strings.Repeat("A", 43)} {
		if strings.Contains(out.String(), kept) {
			t.Error("a secret was printed")
		}
	}
	if s.Reveal() != password {
		t.Error("the secret is lost")
	}
}
