package main

// The fake domain controller as a process of its own.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"syscall"

	"passback/fakead"
)

const (
	domain = "bench.example"
	base   = "DC=bench,DC=example"
	people = 1000 // users of a directory under load
)

// started is what the process says when it serves.
type started struct {
	LDAP, LDAPS, Admin, Password string
	CA                           []byte
}

// serveFake is that process.
func serveFake(ctx context.Context, o options, out io.Writer) error {
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return fmt.Errorf("write a profile: %w", err)
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("write a profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	dc, err := fakead.New(fakead.Options{Domain: domain})
	if err != nil {
		return err
	}
	defer func() { _ = dc.Close() }()
	err = json.NewEncoder(out).Encode(started{
		LDAP: strings.TrimPrefix(dc.LDAPURL(), "ldap://"), LDAPS: strings.TrimPrefix(dc.LDAPSURL(), "ldaps://"),
		Admin: dc.AdminDN(), Password: dc.AdminPassword(), CA: dc.CA().PEM(),
	})
	if err != nil {
		return fmt.Errorf("say where the directory is: %w", err)
	}
	<-ctx.Done()
	return nil
}

// startFake starts it.
func startFake(ctx context.Context, o options) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := exec.CommandContext(ctx, self, "-serve", "-profile", o.profile)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // its CPU time is told by session
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the fake domain controller: %w", err)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the fake domain controller: %w", err)
	}
	stop := func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
	var st started
	if err := json.NewDecoder(out).Decode(&st); err != nil {
		stop()
		return nil, fmt.Errorf("start the fake domain controller: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(st.CA)
	return &server{
		name: "fakead", pid: c.Process.Pid, ldap: st.LDAP, ldaps: st.LDAPS, tls: &tls.Config{RootCAs: pool, ServerName: "localhost"},
		admin: st.Admin, password: st.Password, base: base, people: "CN=Users," + base, users: people, stop: stop,
	}, nil
}
