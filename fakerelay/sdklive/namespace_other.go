//go:build !linux

package main

import (
	"context"
	"errors"
)

var errNoNamespaces = errors.New("could not run: it needs Linux's network and mount namespaces")

func isolated(context.Context, string) error { return errNoNamespaces }

func furnish(string) error { return errNoNamespaces }
