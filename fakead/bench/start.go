package main

// How long a test waits for its domain controller: from fakead.New to the answer to the first bind.

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"passback/clock"
	"passback/fakead"
)

// start measures it in this process: once cold, and then as the tests of a package see it.
func start(_ context.Context, o options) error {
	const times = 50
	var took []float64      // milliseconds
	var spent time.Duration // of CPU, when the first one was done
	for i := range times {
		if i == 1 {
			var err error
			if spent, err = ownCPUTime(); err != nil {
				return err
			}
		}
		begin := clock.Real().Now()
		dc, err := fakead.New(fakead.Options{Domain: domain})
		if err != nil {
			return err
		}
		conn, err := net.Dial("tcp", strings.TrimPrefix(dc.LDAPURL(), "ldap://"))
		if err != nil {
			return fmt.Errorf("connect to the fake domain controller: %w", err)
		}
		c := client{conn, bufio.NewReader(conn)}
		err = c.do(bindRequest(dc.AdminDN(), dc.AdminPassword()))
		took = append(took, clock.Real().Now().Sub(begin).Seconds()*1000)
		conn.Close()
		_ = dc.Close()
		if err != nil {
			return err
		}
	}
	now, err := ownCPUTime()
	if err != nil {
		return err
	}
	fmt.Printf("\nfrom fakead.New to the first answered bind: %.1f ms the first time in a process, %.1f ms (median of %d, %.1f ms of CPU with Close) after that\n",
		took[0], median(took[1:]), times-1, (now-spent).Seconds()*1000/(times-1))
	return nil
}
