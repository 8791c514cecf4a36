package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"
)

// A readyFile tells other programs that a verb serves, and where. It is gone while the verb does not.
type readyFile string

// remove is called at start, since a file of an earlier run would lie, and at exit.
func (f readyFile) remove() error {
	if f == "" {
		return nil
	}
	if err := os.Remove(string(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the ready file: %w", err)
	}
	return nil
}

// write puts the file there whole, readable by its owner alone: it holds passwords.
func (f readyFile) write(content any) error {
	if f == "" {
		return nil
	}
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the ready file: %w", err)
	}
	if err := renameio.WriteFile(string(f), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return nil
}
