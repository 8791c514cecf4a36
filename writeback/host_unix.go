//go:build !windows

package writeback

// What differs between operating systems.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// isOpen reports whether others than the owner may use what has this mode in one of the ways of mask.
func isOpen(mode fs.FileMode, mask fs.FileMode) bool { return mode.Perm()&mask != 0 }

// deviceAndInode is the form in which JOURNAL_STREAM names a stream; empty: it cannot be told.
func deviceAndInode(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}

// tryLock takes a lock that ends with the process, or with the file (flock(2)).
func tryLock(path string) (f *os.File, taken bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err //nolint:wrapcheck // *fs.PathError says it all, and the caller says what for
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, false, nil
	}
	return nil, errors.Is(err, syscall.EWOULDBLOCK), errors.Join(err, f.Close())
}
