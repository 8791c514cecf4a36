package writeback

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"passback/writeback/protocol"
)

// A state is the agent's folder. It holds the private keys and the enrolment exactly as it came: sealed to one of
// them, so that no file is of use without the other.
type state struct{ dir string }

const (
	enrolmentFile = "enrolment.jwe"
	maxStateFile  = protocol.MaxEnrolment
)

// openState makes the folder if need be, and refuses one that others may enter.
func openState(dir string) (state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return state{}, fmt.Errorf("state_dir: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return state{}, fmt.Errorf("state_dir: %w", err)
	}
	if !info.IsDir() || isOpen(info.Mode(), 0o077) {
		return state{}, fmt.Errorf("state_dir: %s must be a folder that only the agent may enter (mode 0700, not %04o)", dir, info.Mode().Perm())
	}
	return state{dir}, nil
}

const lockFile = "lock"

// lock keeps every other agent, enroll and unenroll out of the folder until unlock is called or the process ends.
// What only looks (status, explain, doctor) needs no lock.
func (s state) lock() (unlock func(), err error) {
	f, taken, err := tryLock(filepath.Join(s.dir, lockFile))
	if taken {
		return nil, fmt.Errorf("state_dir: %s is in use by another agent; stop it first, or give each agent a folder of its own", s.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("state_dir: lock: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

// errNotEnrolled means that there is no key or no enrolment yet.
var errNotEnrolled = errors.New("the agent is not enrolled; run enroll with a one-time token first")

func (s state) enrolment(keys []protocol.Decrypter) (protocol.EnrolResponse, error) {
	text, err := s.read(enrolmentFile)
	if err != nil {
		return protocol.EnrolResponse{}, err
	}
	r, err := protocol.OpenEnrolResponse(keys, text)
	if err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Join(s.dir, enrolmentFile), err)
	}
	return r, nil
}

// opensWith reports whether the enrolment is sealed to this key.
func (s state) opensWith(key protocol.Decrypter) bool {
	_, err := s.enrolment([]protocol.Decrypter{key})
	return err == nil
}

func (s state) rename(from, to string) error {
	if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	return nil
}

func (s state) read(name string) ([]byte, error) {
	text, err := readLimited(filepath.Join(s.dir, name), maxStateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s is missing)", errNotEnrolled, filepath.Join(s.dir, name))
	}
	if err != nil {
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	return text, nil
}

// write replaces a file whole and makes it last.
func (s state) write(name string, text []byte) error { return s.replace(name, text, (*os.File).Sync) }

// show replaces a file whole that a crash of the host may take.
func (s state) show(name string, text []byte) error {
	return s.replace(name, text, func(*os.File) error { return nil })
}

func (s state) replace(name string, text []byte, keep func(*os.File) error) error {
	f, err := os.CreateTemp(s.dir, name+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, keep(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("state_dir: %w", err)
	}
	return nil
}
