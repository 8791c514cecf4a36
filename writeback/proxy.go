package writeback

// The proxy to the cloud and its relays: from agent.yaml with its password in a file, or else from HTTPS_PROXY and
// NO_PROXY. What it is asked for is CONNECT (RFC 9110 section 9.3.6), with Basic credentials (RFC 7617). Left out on
// purpose: NTLM and Negotiate, which Go's transport does not speak.

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// validateProxy never shows what stands before the host: it may be a password.
func (c *Config) validateProxy() error {
	auth := c.ProxyAuth
	if c.Proxy == "" {
		if auth != (Bind{}) {
			return errors.New("proxy_auth: names an account for a proxy, and proxy names none")
		}
		return nil
	}
	u, err := url.Parse(c.Proxy)
	switch {
	case err == nil && u.User != nil:
		return errors.New("proxy: a password may not stand in this file; name its file in proxy_auth, or give the whole URL in HTTPS_PROXY")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return badValue("proxy", withoutUser(c.Proxy), "http://host:port or https://host:port, or nothing")
	case strings.Contains(auth.User, ":"):
		return badValue("proxy_auth.user", auth.User, "a name without a colon (RFC 7617)")
	case (auth.User == "") != (auth.PasswordFile == ""):
		return errors.New("proxy_auth: want both user and password_file, or neither")
	}
	return nil
}

// withoutUser cuts off what may hold a password.
func withoutUser(address string) string {
	if i := strings.LastIndex(address, "@"); i >= 0 {
		return "[redacted]" + address[i:]
	}
	return address
}

// proxyOf returns the configured proxy with its account; nil where the environment decides.
func proxyOf(c Config) (*url.URL, error) {
	if c.Proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(c.Proxy)
	if err != nil {
		return nil, badValue("proxy", withoutUser(c.Proxy), "http://host:port or https://host:port")
	}
	if c.ProxyAuth.User == "" {
		return u, nil
	}
	password, err := readSecret(c.ProxyAuth.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("proxy_auth.password_file: %w", err)
	}
	u.User = url.UserPassword(c.ProxyAuth.User, password.Reveal())
	return u, nil
}

// through is what http.Transport asks for its proxy.
func through(proxy *url.URL) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		return http.ProxyFromEnvironment
	}
	return http.ProxyURL(proxy)
}
