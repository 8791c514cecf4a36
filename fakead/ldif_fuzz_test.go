package fakead

import (
	"bytes"
	"errors"
	"testing"
)

// Whatever is read, it is records or an error that names a line.
func FuzzReadLDIF(f *testing.F) {
	f.Add([]byte(newDomain))
	f.Add([]byte("version: 1\ndn:: Q049eA==\nchangetype: add\ncn: a\n b\n\n# c\n d\ndn: CN=y\ncn:: eA==\n"))
	f.Fuzz(func(t *testing.T, ldif []byte) {
		content, err := readLDIF(bytes.NewReader(ldif))
		defer content.close()
		for r, failed := range content.records() {
			if err = failed; err == nil && len(r.dn) == 0 {
				t.Error("a record of nothing")
			}
		}
		var mistake *LDIFError
		if err != nil && (!errors.As(err, &mistake) || mistake.Line < 0 || mistake.Line > bytes.Count(ldif, []byte("\n"))+1) {
			t.Errorf("got %v", err)
		}
	})
}
