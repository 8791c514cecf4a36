package writeback

// What differs between operating systems.

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// isOpen is not told by a mode here: who may use a file is its access control list's matter, and its administrator's.
func isOpen(fs.FileMode, fs.FileMode) bool { return false }

// deviceAndInode names no stream here: there is no journal.
func deviceAndInode(*os.File) string { return "" }

const errorSharingViolation = syscall.Errno(32)

// tryLock opens the file so that nobody else can (CreateFile with no sharing), until the process or the file ends.
func tryLock(path string) (f *os.File, taken bool, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, false, err //nolint:wrapcheck // the caller says what for
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, errors.Is(err, errorSharingViolation), err //nolint:wrapcheck // the caller says what for
	}
	return os.NewFile(uintptr(h), path), false, nil
}
