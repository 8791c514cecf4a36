package fakead_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"passback/fakead"
)

// ldifOfUsers is LDIF of more records than are looked at before any is added.
func ldifOfUsers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "dn: CN=u%d,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: u%d\n\n", i, i)
	}
	return b.String()
}

func TestLDIFOfManyRecords(t *testing.T) {
	const n = 3000
	dc := fakead.RunT(t, fakead.Options{LDIF: strings.NewReader(ldifOfUsers(n))})
	for _, i := range []int{0, 1023, 1024, 1025, n - 1} {
		if name := fmt.Sprintf("u%d", i); stateOf(t, dc, name).SAM != name {
			t.Errorf("%s is missing", name)
		}
	}
}

// What is wrong far into a file is told with its line, and reading stops there.
func TestAMistakeLateInAnLDIF(t *testing.T) {
	const n = 3000
	r := &countingReader{from: strings.NewReader(ldifOfUsers(n) + "nonsense\n\n" + ldifOfUsers(100_000))}
	_, err := fakead.New(fakead.Options{LDIF: r, LDAPPort: -1, LDAPSPort: -1})
	var mistake *fakead.LDIFError
	if !errors.As(err, &mistake) || mistake.Line != n*4+1 {
		t.Errorf("got %v, want a mistake in line %d", err, n*4+1)
	}
	if r.read > 2<<20 {
		t.Errorf("%d bytes were read", r.read)
	}
}

type countingReader struct {
	from io.Reader
	read int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.read += n
	return n, err
}
