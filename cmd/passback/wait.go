package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"passback/clock"
)

// waitPoll is how often an absent file or a silent service is tried again.
const waitPoll = 50 * time.Millisecond

func waitCommand() *cobra.Command {
	var file string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait --ready-file FILE",
		Short: "Wait until a ready file's services answer",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return usage(errors.New("--ready-file is missing: name the file that was given to sandbox, ad, relay or agent"))
			}
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			return waitFor(ctx, file)
		},
	}
	c.Flags().StringVar(&file, "ready-file", "", "the `FILE` given to the verb that is starting")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "give up after this long")
	return c
}

// services are the parts of a ready file that can be asked whether they answer.
type services struct {
	Web       string `json:"web"`
	CAFile    string `json:"ca_file"`
	Directory struct {
		LDAP  string `json:"ldap"`
		LDAPS string `json:"ldaps"`
	} `json:"directory"`
	Relay struct {
		AMQP       string `json:"amqp"`
		AMQPS      string `json:"amqps"`
		Management string `json:"management"`
		Identity   string `json:"identity"`
	} `json:"relay"`
}

func waitFor(ctx context.Context, file string) error {
	for {
		err := tryServices(ctx, file)
		if err == nil {
			return nil
		}
		if clock.Sleep(ctx, clock.Real(), waitPoll) != nil {
			return fmt.Errorf("not ready in time: %w", err)
		}
	}
}

func tryServices(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the ready file is not there: %w", err)
	}
	var s services
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s is not a ready file: %w", file, err)
	}
	pool, err := readPool(s.CAFile)
	if err != nil {
		return err
	}
	for _, address := range []string{s.Directory.LDAP, s.Directory.LDAPS, s.Relay.Management, s.Relay.Identity, endpoint(s.Relay.AMQP, "amqp"), endpoint(s.Relay.AMQPS, "amqps")} {
		if err := tryDial(ctx, address, pool); err != nil {
			return err
		}
	}
	return tryWeb(ctx, s.Web)
}

// endpoint takes the address out of a Service Bus connection string.
func endpoint(connectionString, scheme string) string {
	for part := range strings.SplitSeq(connectionString, ";") {
		if rest, ok := strings.CutPrefix(part, "Endpoint=sb://"); ok {
			return scheme + "://" + strings.TrimSuffix(rest, "/")
		}
	}
	return ""
}

func tryDial(ctx context.Context, address string, pool *x509.CertPool) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("address %q of the ready file: %w", address, err)
	}
	var conn net.Conn
	switch u.Scheme {
	case "ldaps", "amqps", "https":
		conn, err = (&tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", u.Host)
	default:
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	}
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", address, err)
	}
	return conn.Close() //nolint:wrapcheck // nothing was written: there is nothing to say of a failed close
}

func tryWeb(ctx context.Context, web string) error {
	if web == "" {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, web+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("address %q of the ready file: %w", web, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", web, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/readyz answers %s", web, answer.Status)
	}
	return nil
}

func readPool(file string) (*x509.CertPool, error) {
	if file == "" {
		return x509.NewCertPool(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the CA of the ready file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
