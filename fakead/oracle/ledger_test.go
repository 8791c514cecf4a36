package oracle

// The ledger, testdata/ledger.txt, holds the differences that are meant. A paragraph begins with its reason and the
// source that Windows is known from; indented lines name a question, what of it, and both answers:
//
//	reason: an enabled account has to have a password
//	source: MS-SAMR 3.1.1.8.10
//		R32-a 1: 0 => 53 0000052D

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// A difference is one answer that is not the same.
type difference struct{ question, about, real, fake string }

func (d difference) String() string {
	return fmt.Sprintf("%s %s: %s => %s", d.question, d.about, d.real, d.fake)
}

// A ledger tells the reason of each difference.
type ledger map[string]string

func readLedger(name string) (ledger, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries := ledger{}
	reason, source := "", ""
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		reasonGiven, isReason := strings.CutPrefix(line, "reason: ")
		sourceGiven, isSource := strings.CutPrefix(line, "source: ")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case isReason:
			reason, source = reasonGiven, ""
		case isSource:
			source = sourceGiven
		case strings.HasPrefix(line, "\t") && source != "" && entries[line[1:]] == "":
			entries[line[1:]] = reason
		default:
			return nil, fmt.Errorf("%s:%d: neither a reason, a source, nor a new entry below both: %s", name, n, line)
		}
	}
	return entries, lines.Err()
}
