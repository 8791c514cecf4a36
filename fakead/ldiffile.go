package fakead

// An LDIF on its way in: its records are read while those before them are being added, so that a million of them are
// never in memory at once. Of the first ones some are looked at before anything is added.

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// ldifAhead is how many records may precede that of the domain's head for its identifier to become the domain's.
const ldifAhead = 1024

// An ldifFile is what an LDIF says. A whole one, which WriteLDIF wrote, says all that there is.
type ldifFile struct {
	first []*ldifRecord
	whole bool             // its first comment says so
	rest  <-chan ldifBatch // nil: there is no more
	stop  chan struct{}    // closed: nobody reads on
}

// An ldifBatch is some records, or what is wrong with the next one.
type ldifBatch struct {
	records []*ldifRecord
	err     error // an *LDIFError
}

// readLDIF reads the first records and leaves the rest to a goroutine, which close ends. Its errors are *LDIFError.
func readLDIF(from io.Reader) (ldifFile, error) {
	r := newLDIFReader(from)
	first, err := r.batch(ldifAhead, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return ldifFile{}, err
	}
	f := ldifFile{first: first, whole: r.whole}
	if err == nil {
		rest := make(chan ldifBatch, 16)
		f.rest, f.stop = rest, make(chan struct{})
		go r.readOn(rest, f.stop)
	}
	return f, nil
}

// readOn sends records until there are no more.
func (r *ldifReader) readOn(to chan<- ldifBatch, stop <-chan struct{}) {
	const size = 256
	defer close(to)
	for count := ldifAhead; ; count += size {
		records, err := r.batch(size, count)
		ended := errors.Is(err, io.EOF)
		if ended {
			err = nil
		}
		select {
		case to <- ldifBatch{records, err}:
		case <-stop:
			return
		}
		if ended || err != nil {
			return
		}
	}
}

// batch reads at most n records after count others; the error is io.EOF or an *LDIFError.
func (r *ldifReader) batch(n, count int) (records []*ldifRecord, err error) {
	for len(records) < n {
		record, err := r.record()
		if errors.Is(err, io.EOF) {
			return records, io.EOF
		}
		if err == nil && count+len(records) >= maxLDIFRecords {
			err = fmt.Errorf("more than %d records", maxLDIFRecords)
		}
		if err != nil {
			return records, &LDIFError{Line: r.start, Err: err}
		}
		records = append(records, record)
	}
	return records, nil
}

// records yields all of them, in order. An error is the last thing that it yields.
func (f ldifFile) records() iter.Seq2[*ldifRecord, error] {
	return func(yield func(*ldifRecord, error) bool) {
		for _, r := range f.first {
			if !yield(r, nil) {
				return
			}
		}
		if f.rest == nil {
			return // all were first
		}
		for batch := range f.rest {
			for _, r := range batch.records {
				if !yield(r, nil) {
					return
				}
			}
			if batch.err != nil {
				yield(nil, batch.err)
				return
			}
		}
	}
}

// close ends the reading of what nobody wants any more.
func (f ldifFile) close() {
	if f.stop != nil {
		close(f.stop)
	}
}
