package writeback

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

// A cloud is where the agent enrols.
type cloud struct {
	url   string
	proxy *url.URL
	roots *x509.CertPool
	http  *http.Client
}

const enrolTimeout = 20 * time.Second

func newCloud(c Config) (*cloud, error) {
	pool, err := roots(c.CloudCAFile)
	if err != nil {
		return nil, fmt.Errorf("cloud_ca_file: %w", err)
	}
	proxy, err := proxyOf(c)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:                 through(proxy),
		DialContext:           c.DialRelay,
		TLSClientConfig:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout: enrolTimeout,
		DisableKeepAlives:     true, // once a day
	}
	if c.DialRelay == nil {
		t.DialContext = (&net.Dialer{Timeout: enrolTimeout / 2}).DialContext
	}
	cl := &cloud{url: c.Cloud, roots: pool, proxy: proxy}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cl.http = &http.Client{Transport: t, CheckRedirect: stay, Timeout: enrolTimeout}
	return cl, nil
}

// errCloudUnreachable means that no answer to an enrolment came, so that it may be repeated.
var errCloudUnreachable = errors.New("the cloud did not answer")

// post sends an enrolment request. It returns the sealed response and by how much the agent's clock is off the
// cloud's. The error is a *protocol.EnrolError where the cloud refused.
func (c *cloud) post(ctx context.Context, body []byte) (sealed []byte, skew time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, 0, fmt.Errorf("enrol at %s: %w", c.url, err)
	}
	r.Header.Set("Content-Type", protocol.ContentType)
	sent := clock.Real().Now()
	response, err := c.http.Do(r)
	if err != nil {
		return nil, 0, fmt.Errorf("enrol at %s: %w: %w", c.url, errCloudUnreachable, err)
	}
	defer response.Body.Close()
	received := clock.Real().Now()
	text, err := io.ReadAll(io.LimitReader(response.Body, protocol.MaxEnrolment+1))
	if err != nil {
		return nil, 0, fmt.Errorf("enrol at %s: %w: %w", c.url, errCloudUnreachable, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, 0, refusal(c.url, response.StatusCode, text)
	}
	skew, err = protocol.Skew(response.Header, sent, received)
	if err != nil {
		return nil, 0, fmt.Errorf("enrol at %s: %w", c.url, err)
	}
	return text, skew, nil
}

func refusal(url string, status int, text []byte) error {
	refused := &protocol.EnrolError{Status: status}
	if status >= http.StatusBadRequest && status < http.StatusInternalServerError &&
		json.Unmarshal(text, refused) == nil && refused.Code != "" {
		return fmt.Errorf("enrol at %s: %w", url, refused)
	}
	return fmt.Errorf("enrol at %s: HTTP %d, which is no answer of an enrolment service: %w", url, status, errCloudUnreachable)
}
