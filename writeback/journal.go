package writeback

// The journal: one JSON line in state_dir for each delivery of a request that this agent decided. It is for people,
// and for explain; nothing else depends on it, so a line that could not be written is told of and done without.
// What happened before a decision, and what became of messages that do not open, is in the log alone.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"passback/writeback/protocol"
)

const (
	journalFile = "journal.jsonl"
	journalSize = 4 << 20 // bytes; then the file is rotated
	journalKept = 4       // older files: journal.jsonl.1 is the newest of them
	maxLine     = 64 << 10
)

// A journalEntry is a line. No field holds, or is made from, a password or a key.
type journalEntry struct {
	TrackingID   protocol.TrackingID `json:"tracking_id"`
	Operation    protocol.Operation  `json:"operation"`
	UPN          string              `json:"upn"`
	CloudAnchor  string              `json:"cloud_anchor"`
	SourceAnchor string              `json:"source_anchor"`
	Actor        string              `json:"actor"`
	Domain       string              `json:"domain"`
	DC           string              `json:"dc"`
	Delivery     int                 `json:"delivery"` // 1: the first
	Outcome      protocol.Outcome    `json:"outcome"`
	Rule         protocol.Rule       `json:"rule,omitempty"`
	Certainty    protocol.Certainty  `json:"certainty,omitempty"`
	Detail       string              `json:"detail,omitempty"`
	Answered     bool                `json:"answered"`
	Completed    bool                `json:"completed"` // so that the relay does not deliver it again
	Received     time.Time           `json:"received"`
	Decided      time.Time           `json:"decided"`
	Settled      time.Time           `json:"settled"`
}

func newJournalEntry(r protocol.Request, count delivery, d decision) journalEntry {
	e := journalEntry{
		TrackingID: r.TrackingID, Operation: r.Operation, UPN: r.UPN, CloudAnchor: r.CloudAnchor, SourceAnchor: r.SourceAnchor,
		Actor: r.Actor, Domain: r.Domain, DC: r.DC, Delivery: count.count, Outcome: d.outcome, Detail: limit(d.detail),
	}
	if v := d.violation; v != nil {
		e.Rule, e.Certainty = v.Rule, v.Certainty
	}
	return e
}

// A journal is the file that is written to.
type journal struct {
	dir string

	mu   sync.Mutex
	file *os.File
	size int64
}

func openJournal(s state) (*journal, error) {
	j := &journal{dir: s.dir}
	return j, j.open()
}

// open goes on with the file that is there. A line that a crash cut off is ended, so that the next is whole.
func (j *journal) open() error {
	f, err := os.OpenFile(filepath.Join(j.dir, journalFile), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), f.Close())
	}
	j.file, j.size = f, info.Size()
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, j.size-1); j.size > 0 && err == nil && last[0] != '\n' {
		return j.append([]byte("\n"))
	}
	return nil
}

func (j *journal) append(line []byte) error {
	n, err := j.file.Write(line)
	j.size += int64(n)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// write adds one line.
func (j *journal) write(e journalEntry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size+int64(len(line)) >= journalSize {
		if err := j.rotate(); err != nil {
			return err
		}
	}
	return j.append(append(line, '\n'))
}

func (j *journal) rotate() error {
	_ = j.file.Close() // it may have failed to open before
	for n := journalKept; n > 0; n-- {
		err := os.Rename(j.path(n-1), j.path(n))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("journal: %w", err), j.open())
		}
	}
	return j.open()
}

// path of the file n rotations old.
func (j *journal) path(n int) string {
	p := filepath.Join(j.dir, journalFile)
	if n > 0 {
		p += "." + strconv.Itoa(n)
	}
	return p
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.file.Close()
}

// readJournal returns the lines of one request, oldest first. It may run beside an agent that writes; a line that
// is no entry was cut off by a crash.
func readJournal(s state, id protocol.TrackingID) (found []journalEntry, err error) {
	j := &journal{dir: s.dir}
	for n := journalKept; n >= 0; n-- {
		f, err := os.Open(j.path(n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			var e journalEntry
			if json.Unmarshal(lines.Bytes(), &e) == nil && e.TrackingID == id {
				found = append(found, e)
			}
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, fmt.Errorf("journal: %s: %w", j.path(n), err)
		}
	}
	return found, nil
}
