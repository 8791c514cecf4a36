package main

import (
	"net"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"passback": func() { os.Exit(run(os.Args[1:])) },
	})
}

// The command line as its users meet it: see testdata, one script for each verb.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			taken, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Defer(func() { _ = taken.Close() })
			_, port, err := net.SplitHostPort(taken.Addr().String())
			e.Setenv("TAKEN_PORT", port)
			return err
		},
	})
}
