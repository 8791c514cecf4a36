package main

// Beside a real domain controller, Samba's: resets of unicodePwd by the administrator.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// besideSamba compares password resets over LDAPS.
func besideSamba(ctx context.Context, o options) error {
	peer, err := startSamba(ctx, o.oracle)
	if err != nil {
		return err
	}
	defer peer.stop()
	ours, err := startFake(ctx, o)
	if err != nil {
		return err
	}
	defer ours.stop()
	for _, s := range []*server{peer, ours} {
		if _, err := s.fill(ctx); err != nil {
			return err
		}
	}
	t := newTable("password resets", peer.name)
	for _, connections := range []int{1, 8, 64} {
		err := t.measure(ctx, o, pair{
			peer: peer, ours: ours, what: "reset", secure: true, connections: connections,
			asked: map[*server][][]byte{peer: resetsFor(peer), ours: resetsFor(ours)},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// resetsFor are resets of all users in turn, to another password each time.
func resetsFor(s *server) [][]byte {
	const rounds = 8
	var requests [][]byte
	for round := range rounds {
		for i := range s.users {
			requests = append(requests, reset("CN="+userName(i)+","+s.people, fmt.Sprintf("Nine-Green-Kites-%d", round)))
		}
	}
	return requests
}

// startSamba starts the domain controller that was made before; one is made by `make oracle`.
func startSamba(ctx context.Context, script string) (*server, error) {
	absent := fmt.Errorf("%w: password resets beside Samba: there is no domain controller; make oracle makes one (root, mmdebstrap)", errUnmeasured)
	if os.Getuid() != 0 {
		return nil, absent
	}
	if err := exec.CommandContext(ctx, script, "made").Run(); err != nil {
		return nil, absent
	}
	out, err := exec.CommandContext(ctx, script, "start").Output()
	if err != nil {
		return nil, fmt.Errorf("start Samba: %w", err)
	}
	told := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		told[name] = value
	}
	address := told["PASSBACK_ORACLE"]
	ca, err := os.ReadFile(told["PASSBACK_ORACLE_CA"])
	if err != nil {
		return nil, fmt.Errorf("read Samba's certificate: %w", err)
	}
	pid, err := os.ReadFile(filepath.Join(filepath.Dir(told["PASSBACK_ORACLE_CA"]), "run", "samba.pid"))
	if err != nil {
		return nil, fmt.Errorf("read Samba's process id: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s := &server{
		name: "samba", ldap: address + ":389", ldaps: address + ":636", tls: &tls.Config{RootCAs: pool, ServerName: address},
		admin: "CN=Administrator,CN=Users,DC=oracle,DC=test", password: told["PASSBACK_ORACLE_PASSWORD"],
		base: "DC=oracle,DC=test", people: "CN=Users,DC=oracle,DC=test", users: 64,
		stop: func() { _ = exec.Command(script, "stop").Run() },
	}
	s.pid, err = strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil {
		return nil, fmt.Errorf("read Samba's process id: %w", err)
	}
	return s, nil
}
