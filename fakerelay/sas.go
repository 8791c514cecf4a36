package fakerelay

// Shared access signatures, as the service documents them ("Service Bus access control with Shared Access
// Signatures"): SharedAccessSignature sr=<resource>&sig=<base64>&se=<unix seconds>&skn=<key name>, where sig is
// HMAC-SHA256, by the key's bytes as they are, of the resource as it stands in the token, a newline, and se.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"passback/clock"
)

const (
	sasPrefix = "SharedAccessSignature "
	maxToken  = 8 << 10 // bytes; our own bound
)

// What a refused token is told. The tracking part follows.
const (
	textExpiredToken     = "ExpiredToken: The token is expired. Expiration time: '%s'."
	textInvalidSignature = "InvalidSignature: The token has an invalid signature."
	textInvalidAudience  = "InvalidAudience: The token is for '%s', which does not cover '%s'."
	textMalformedToken   = "MalformedToken: The token is not a shared access signature: %s."
)

// A tokenError is why a token was refused. It never holds any of the token but its resource.
type tokenError struct{ text string }

func (e *tokenError) Error() string { return e.text }

// A sasToken is parsed and not yet verified.
type sasToken struct {
	resource string // as it stands in the token: what is signed
	path     string // of the resource
	mac      []byte
	expiry   string // as it stands
	expires  time.Time
	keyName  string
}

// A grant is what a verified token allows: rights on path and what is below, until it expires.
type grant struct {
	path    string // folded; "": the whole namespace
	rights  Rights
	signer  *signer // nil: a JSON web token, which none of the namespace's keys revokes
	expires time.Time
}

func parseSAS(token string) (sasToken, error) {
	malformed := func(why string) (sasToken, error) {
		return sasToken{}, &tokenError{fmt.Sprintf(textMalformedToken, why)}
	}
	fields, ok := strings.CutPrefix(token, sasPrefix)
	if !ok || len(token) > maxToken {
		return malformed("it must begin with SharedAccessSignature and have at most " + strconv.Itoa(maxToken) + " bytes")
	}
	raw := make(map[string]string)
	for field := range strings.SplitSeq(fields, "&") {
		key, value, _ := strings.Cut(field, "=")
		raw[key] = value
	}
	t := sasToken{resource: raw["sr"], expiry: raw["se"]}
	resource, err := url.QueryUnescape(t.resource)
	if err != nil || resource == "" {
		return malformed("sr is missing or not URL-encoded")
	}
	if !strings.Contains(resource, "://") { // the SDKs sign a bare host for a whole namespace
		resource = "sb://" + resource
	}
	if t.path, err = audiencePath(resource); err != nil {
		return malformed("sr is not a URL")
	}
	signature, err := url.QueryUnescape(raw["sig"])
	if err != nil {
		return malformed("sig is not URL-encoded")
	}
	if t.mac, err = base64.StdEncoding.DecodeString(signature); err != nil || len(t.mac) == 0 {
		return malformed("sig is missing or not base64")
	}
	seconds, err := strconv.ParseInt(t.expiry, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return malformed("se is not a number of seconds")
	}
	t.expires = time.Unix(seconds, 0).UTC()
	if t.keyName, err = url.QueryUnescape(raw["skn"]); err != nil || t.keyName == "" {
		return malformed("skn is missing or not URL-encoded")
	}
	return t, nil
}

// Sign makes a token for a resource, such as sb://localhost/queue.1, and what is below it. It holds no secret, but
// allows what the key does until it expires.
func (k Key) Sign(resource string, expires time.Time) string {
	t := sasToken{resource: url.QueryEscape(resource), expiry: strconv.FormatInt(expires.Unix(), 10)}
	signature := base64.StdEncoding.EncodeToString(t.sign(k.Secret))
	return sasPrefix + "sr=" + t.resource + "&sig=" + url.QueryEscape(signature) + "&se=" + t.expiry + "&skn=" + url.QueryEscape(k.Name)
}

// audiencePath takes amqps://host/entity, with any scheme, or a bare path, and returns the entity's path.
func audiencePath(audience string) (string, error) {
	if !strings.Contains(audience, "://") {
		return strings.Trim(audience, "/"), nil
	}
	u, err := url.Parse(audience)
	if err != nil {
		return "", fmt.Errorf("parse the audience: %w", err)
	}
	return strings.Trim(u.Path, "/"), nil
}

// verifySAS checks a token for a path: signature, expiry on package time, key name, and that its resource is
// the path or above it. A wrong signature and an unknown key are told alike.
func (r *keyring) verifySAS(token, path string) (grant, error) {
	t, err := parseSAS(token)
	if err != nil {
		return grant{}, err
	}
	signer := r.signer(t)
	switch {
	case signer == nil:
		return grant{}, &tokenError{textInvalidSignature}
	case !clock.Real().Now().Before(t.expires):
		return grant{}, &tokenError{fmt.Sprintf(textExpiredToken, t.expires.Format(time.RFC1123))}
	case !covers(t.path, path):
		return grant{}, &tokenError{fmt.Sprintf(textInvalidAudience, t.path, path)}
	}
	return grant{path: foldPath(path), rights: signer.rights, signer: signer, expires: t.expires}, nil
}

func (r *keyring) signer(t sasToken) *signer {
	for _, k := range r.named(t.keyName, t.path) {
		for _, secret := range []string{k.Secret, k.Secondary} {
			if secret != "" && t.signedBy(secret) {
				return &signer{k.Name, secret, k.Rights}
			}
		}
	}
	return nil
}

func (t sasToken) signedBy(secret string) bool {
	return hmac.Equal(t.sign(secret), t.mac)
}

func (t sasToken) sign(secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t.resource + "\n" + t.expiry))
	return mac.Sum(nil)
}

// covers reports whether path is scope or below it.
func covers(scope, path string) bool {
	scope, path = foldPath(scope), foldPath(path)
	return scope == "" || path == scope || strings.HasPrefix(path, scope+"/")
}

func sameSecret(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
