package fakead

// LDIF content records (RFC 2849), as ldifde and ldapsearch write them: folded lines, base64, comments,
// changetype add. Left out on purpose: all other change records, values by URL, UTF-16.

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"passback/fakead/tree"
)

const (
	maxLDIFLine    = 1 << 20  // bytes of a logical line, folded ones joined
	maxLDIFRecord  = 16 << 20 // bytes of the values of one record
	maxLDIFRecords = 10_000_000
)

// An LDIFError says which line of Options.LDIF could not be used, and why.
type LDIFError struct {
	Line int
	Err  error
}

func (e *LDIFError) Error() string { return fmt.Sprintf("LDIF line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LDIFError) Unwrap() error { return e.Err }

// An ldifRecord is one entry. The values of one attribute are together.
type ldifRecord struct {
	line   int
	dn     tree.DN
	values []tree.Value
}

// get returns the values of an attribute.
func (r *ldifRecord) get(name string) [][]byte {
	for _, v := range r.values {
		if strings.EqualFold(v.Name, name) {
			return v.Values
		}
	}
	return nil
}

func (r *ldifRecord) put(name string, value []byte) {
	for i, v := range r.values {
		if strings.EqualFold(v.Name, name) {
			r.values[i].Values = append(v.Values, value)
			return
		}
	}
	r.values = append(r.values, tree.Value{Name: name, Values: [][]byte{value}})
}

type ldifReader struct {
	from  *bufio.Reader
	read  int // physical lines so far
	start int // number of the physical line that the current logical one starts at
	whole bool
}

func newLDIFReader(from io.Reader) *ldifReader {
	return &ldifReader{from: bufio.NewReaderSize(from, 64<<10)}
}

// record reads the next record, or io.EOF.
func (r *ldifReader) record() (*ldifRecord, error) {
	line, err := r.firstLine()
	if err != nil {
		return nil, err
	}
	const attributes = 16 // that a user has, about
	record := &ldifRecord{line: r.start, values: make([]tree.Value, 0, attributes)}
	name, value, err := splitLDIFLine(line)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(name, "dn") {
		return nil, fmt.Errorf("a record begins with dn:, not with %q", clip(name))
	}
	if record.dn, err = tree.ParseDN(string(value)); err != nil {
		return nil, err
	}
	if len(record.dn) == 0 {
		return nil, errors.New("dn: without a name")
	}
	for size := 0; ; {
		line, err := r.logicalLine()
		if errors.Is(err, io.EOF) || err == nil && len(line) == 0 {
			return record, nil
		}
		if err != nil {
			return nil, err
		}
		if err := record.add(line); err != nil {
			return nil, err
		}
		if size += len(line); size > maxLDIFRecord {
			return nil, fmt.Errorf("a record of more than %d bytes", maxLDIFRecord)
		}
	}
}

// add takes one line of a record.
func (r *ldifRecord) add(line []byte) error {
	name, value, err := splitLDIFLine(line)
	switch {
	case err != nil:
		return err
	case strings.EqualFold(name, "dn"):
		return errors.New("a second dn: in one record; an empty line has to separate them")
	case !strings.EqualFold(name, "changetype"):
		r.put(name, value)
	case !strings.EqualFold(string(value), "add"):
		return fmt.Errorf("changetype %q; only content and changetype: add can be read", clip(string(value)))
	}
	return nil
}

// firstLine skips empty lines and version: 1.
func (r *ldifReader) firstLine() ([]byte, error) {
	for {
		line, err := r.logicalLine()
		if err != nil {
			return nil, err
		}
		if name, _, _ := bytes.Cut(line, []byte(":")); len(line) > 0 && !strings.EqualFold(string(name), "version") {
			return line, nil
		}
	}
}

// logicalLine joins folded lines and drops comments. An empty one ends a record.
func (r *ldifReader) logicalLine() ([]byte, error) {
	for {
		r.start = r.read + 1
		line, err := r.physicalLine()
		if err != nil {
			return nil, err
		}
		for r.continues() {
			more, err := r.physicalLine()
			if err != nil {
				return nil, err
			}
			if line = append(line, more[1:]...); len(line) > maxLDIFLine {
				return nil, fmt.Errorf("a line of more than %d bytes", maxLDIFLine)
			}
		}
		if !bytes.HasPrefix(line, []byte("#")) {
			return line, nil
		}
		r.whole = r.whole || string(line) == wholeDomain
	}
}

func (r *ldifReader) continues() bool {
	next, err := r.from.Peek(1)
	return err == nil && next[0] == ' '
}

// physicalLine reads one line in a slice of its own, without its end.
func (r *ldifReader) physicalLine() ([]byte, error) {
	var line []byte
	for {
		part, err := r.from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLDIFLine:
			return nil, fmt.Errorf("a line of more than %d bytes", maxLDIFLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
		case err != nil:
			return nil, err //nolint:wrapcheck // ldifFile wraps it, with the line
		}
		if r.read++; r.read == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

func splitLDIFLine(line []byte) (name string, value []byte, err error) {
	before, after, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(before) == 0 || bytes.IndexByte(before, 0) >= 0 {
		return "", nil, errors.New("neither attribute: value nor an empty line (UTF-8 is expected)")
	}
	name = string(before)
	if encoded, ok := bytes.CutPrefix(after, []byte(":")); ok {
		value, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(encoded)))
		if err != nil {
			return "", nil, fmt.Errorf("%s: not base64", clip(name))
		}
		return name, value, nil
	}
	if bytes.HasPrefix(after, []byte("<")) {
		return "", nil, fmt.Errorf("%s: values by URL cannot be read", clip(name))
	}
	return name, bytes.TrimLeft(after, " "), nil
}

// clip keeps what is quoted in an error short.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
