package main

// What a large directory costs: how long its LDIF takes, how much memory a user is, and whether an entry is found as
// fast among a million as among a thousand.

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"time"
	"unicode/utf16"

	"passback/clock"
	"passback/fakead"
)

const fewUsers = 1000

// size measures two directories in this process.
func size(ctx context.Context, o options) error {
	few, err := loaded(fewUsers)
	if err != nil {
		return err
	}
	defer few.close()
	before := liveHeap()
	many, err := loaded(o.users)
	if err != nil {
		return err
	}
	defer many.close()
	perUser := float64(liveHeap()-before) / float64(o.users)
	fmt.Printf("\n%d users from LDIF, each with a password: %.1f s (%.1f s of CPU, with the writing of the LDIF), %.0f bytes of live heap each\n",
		o.users, many.took.Seconds(), many.cpu.Seconds(), perUser)
	var ratios, slow, fast []float64
	for range o.turns {
		f, err := few.lookups(ctx, o.turn)
		if err != nil {
			return err
		}
		m, err := many.lookups(ctx, o.turn)
		if err != nil {
			return err
		}
		fast, slow, ratios = append(fast, f), append(slow, m), append(ratios, m/f)
	}
	fmt.Printf("a search by sAMAccountName, over LDAP: %.1f µs of %d users, %.1f µs of %d, %.2f times as long\n", median(fast), fewUsers, median(slow), o.users, median(ratios))
	return nil
}

// liveHeap is what two collections leave, in bytes.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A directory of many users.
type directory struct {
	dc    *fakead.Server
	users int
	took  time.Duration
	cpu   time.Duration
}

func loaded(users int) (directory, error) {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(writeUsers(w, users)) }()
	spent, err := ownCPUTime()
	if err != nil {
		return directory{}, err
	}
	begin := clock.Real().Now()
	dc, err := fakead.New(fakead.Options{Domain: domain, LDIF: r})
	if err != nil {
		return directory{}, fmt.Errorf("load %d users: %w", users, err)
	}
	took := clock.Real().Now().Sub(begin)
	now, err := ownCPUTime()
	return directory{dc, users, took, now - spent}, err
}

func (d directory) close() { _ = d.dc.Close() }

// writeUsers writes LDIF as ldifde exports it.
func writeUsers(to io.Writer, n int) error {
	w := bufio.NewWriterSize(to, 64<<10)
	fmt.Fprintf(w, "dn: OU=People,%s\nobjectClass: organizationalUnit\n", base)
	for i := range n {
		name := userName(i)
		fmt.Fprintf(w, "\ndn: CN=%s,OU=People,%s\nobjectClass: user\nsAMAccountName: %s\nuserPrincipalName: %s@%s\n", name, base, name, name, domain)
		fmt.Fprintf(w, "givenName: Given%d\nsn: Surname%d\ndisplayName: Given%d Surname%d\nmail: %s@%s\nuserAccountControl: 512\n", i%997, i%9973, i%997, i%9973, name, domain)
		fmt.Fprintf(w, "unicodePwd:: %s\n", base64.StdEncoding.EncodeToString(quotedUTF16(fmt.Sprintf("Nine-Green-Kites-%d", i))))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write LDIF: %w", err)
	}
	return nil
}

// quotedUTF16 is a value of unicodePwd.
func quotedUTF16(password string) []byte {
	var value []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		value = binary.LittleEndian.AppendUint16(value, unit)
	}
	return value
}

// lookups searches all over the directory, one after the other, and returns how many microseconds each took.
func (d directory) lookups(_ context.Context, turn time.Duration) (float64, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.dc.LDAPURL(), "ldap://"))
	if err != nil {
		return 0, fmt.Errorf("connect to the fake domain controller: %w", err)
	}
	defer conn.Close()
	c := client{conn, bufio.NewReader(conn)}
	if err := c.do(bindRequest(d.dc.AdminDN(), d.dc.AdminPassword())); err != nil {
		return 0, err
	}
	const stride = 7919 // a prime: they lie all over
	begin := clock.Real().Now()
	done := 0
	for ; clock.Real().Now().Sub(begin) < turn; done++ {
		if err := c.do(nameSearch("OU=People,"+base, userName(done*stride%d.users))); err != nil {
			return 0, err
		}
	}
	return float64(clock.Real().Now().Sub(begin).Microseconds()) / float64(done), nil
}
