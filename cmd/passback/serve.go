package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// serve announces what has started and waits until ctx ends; then, or if it cannot be announced, it ends it. The
// ready file is there for as long as close is not called. An earlier run's must have been removed.
func serve(ctx context.Context, ready readyFile, content any, announce func(), end func() error) error {
	err := ready.write(content)
	if err == nil {
		announce()
		<-ctx.Done()
	}
	return errors.Join(err, ready.remove(), end())
}

// caFile writes an authority's certificate where other programs can read it, until remove is called.
func caFile(verb string, pem []byte) (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "passback-"+verb+"-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the CA: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(path, pem, 0o644); err != nil {
		remove()
		return "", nil, fmt.Errorf("write the CA: %w", err)
	}
	return path, remove, nil
}
