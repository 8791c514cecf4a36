package main

// Beside OpenLDAP's slapd: its mdb backend, clear-text passwords, an index on objectGUID, the defaults otherwise.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"passback/clock"
	"passback/localca"
)

const slapdPassword = "Bench-Administrator-1"

const slapdConfig = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40{16} SINGLE-VALUE )
objectclass ( 2.25.1 NAME 'benchUser' SUP top AUXILIARY MAY objectGUID )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile DIR/pid
TLSCACertificateFile DIR/ca.pem
TLSCertificateFile DIR/cert.pem
TLSCertificateKeyFile DIR/key.pem
loglevel 0
database mdb
suffix "dc=bench,dc=example"
rootdn "cn=admin,dc=bench,dc=example"
directory DIR
index objectClass,objectGUID eq
`

// besideSlapd compares binds and searches.
func besideSlapd(ctx context.Context, o options) error {
	peer, guids, err := startSlapd(ctx)
	if err != nil {
		return err
	}
	defer peer.stop()
	ours, err := startFake(ctx, o)
	if err != nil {
		return err
	}
	defer ours.stop()
	ourGUIDs, err := ours.fill(ctx)
	if err != nil {
		return err
	}
	t := newTable("binds and searches by objectGUID, of "+fmt.Sprint(people)+" users", peer.name)
	for _, secure := range []bool{false, true} {
		for _, connections := range []int{8, 64} {
			binds := pair{
				peer: peer, ours: ours, secure: secure, connections: connections, what: "bind",
				asked: map[*server][][]byte{peer: {bindRequest(peer.admin, peer.password)}, ours: {bindRequest(ours.admin, ours.password)}},
			}
			searches := binds
			searches.what = "search"
			searches.asked = map[*server][][]byte{peer: searchesFor(peer, guids), ours: searchesFor(ours, ourGUIDs)}
			for _, p := range []pair{binds, searches} {
				if err := t.measure(ctx, o, p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func searchesFor(s *server, guids [][]byte) [][]byte {
	requests := make([][]byte, len(guids))
	for i, g := range guids {
		requests[i] = guidSearch(s.people, g)
	}
	return requests
}

func startSlapd(ctx context.Context) (s *server, guids [][]byte, err error) {
	program, err := exec.LookPath("slapd")
	if err != nil {
		program = "/usr/sbin/slapd" // not in everybody's path
	}
	if _, err := os.Stat(program); err != nil {
		return nil, nil, fmt.Errorf("%w: binds and searches beside slapd: it is not installed (apt-get install slapd)", errUnmeasured)
	}
	dir, err := os.MkdirTemp("", "passback-bench-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for slapd: %w", err)
	}
	s = &server{name: "slapd", people: "dc=bench,dc=example", admin: "cn=admin,dc=bench,dc=example", password: slapdPassword}
	s.stop = func() { _ = os.RemoveAll(dir) }
	if guids, err = s.prepareSlapd(ctx, program, dir); err == nil {
		err = s.runSlapd(ctx, program, dir)
	}
	if err != nil {
		s.stop()
		return nil, nil, err
	}
	return s, guids, nil
}

// prepareSlapd writes configuration, certificates and entries.
func (s *server) prepareSlapd(ctx context.Context, program, dir string) ([][]byte, error) {
	ca, err := localca.New()
	if err != nil {
		return nil, err
	}
	leaf, err := ca.Issue()
	if err != nil {
		return nil, err
	}
	s.tls = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("encode slapd's key: %w", err)
	}
	entries, guids := slapdEntries()
	for name, content := range map[string][]byte{
		"ca.pem":     ca.PEM(),
		"cert.pem":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}),
		"key.pem":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"slapd.conf": []byte(strings.ReplaceAll(slapdConfig, "DIR", dir)),
		"bench.ldif": []byte(entries),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("write slapd's files: %w", err)
		}
	}
	add := exec.CommandContext(ctx, program, "-T", "add", "-q", "-f", filepath.Join(dir, "slapd.conf"), "-l", filepath.Join(dir, "bench.ldif"))
	if out, err := add.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("fill slapd: %w: %s", err, out)
	}
	return guids, nil
}

func slapdEntries() (ldif string, guids [][]byte) {
	var b strings.Builder
	b.WriteString("dn: dc=bench,dc=example\nobjectClass: domain\ndc: bench\n\n")
	fmt.Fprintf(&b, "dn: cn=admin,dc=bench,dc=example\nobjectClass: person\nsn: admin\nuserPassword: %s\n\n", slapdPassword)
	for i := range people {
		guid := fmt.Appendf(nil, "objectGUID-%05d", i)
		guids = append(guids, guid)
		name := userName(i)
		fmt.Fprintf(&b, "dn: cn=%s,dc=bench,dc=example\nobjectClass: inetOrgPerson\nobjectClass: benchUser\nsn: Bench\nmail: %s@%s\nobjectGUID:: %s\n\n",
			name, name, domain, base64.StdEncoding.EncodeToString(guid))
	}
	return b.String(), guids
}

func userName(i int) string { return fmt.Sprintf("user%06d", i) }

// runSlapd starts it on free ports.
func (s *server) runSlapd(ctx context.Context, program, dir string) error {
	for _, address := range []*string{&s.ldap, &s.ldaps} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("find a port for slapd: %w", err)
		}
		*address = l.Addr().String()
		_ = l.Close()
	}
	c := exec.CommandContext(ctx, program, "-d", "0", "-h", "ldap://"+s.ldap+" ldaps://"+s.ldaps, "-f", filepath.Join(dir, "slapd.conf"))
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return fmt.Errorf("start slapd: %w", err)
	}
	s.pid = c.Process.Pid
	remove := s.stop
	s.stop = func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		remove()
	}
	for range 100 {
		probe, err := s.connect(ctx, false)
		if err == nil {
			probe.conn.Close()
			return nil
		}
		if err := clock.Sleep(ctx, clock.Real(), 100*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("slapd does not answer")
}
