package protocol

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"time"
	"unicode/utf16"
)

var (
	cloudAnchor = regexp.MustCompile(`^User_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	dnsName     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$`)
)

const sourceAnchorSize = 16 // bytes: a GUID

// Validate checks everything that can be told from the request alone. Its error wraps ErrInvalid.
func (r Request) Validate() error {
	switch r.Operation {
	case Reset, Change, AdminReset, Unlock:
	default:
		return invalid("operation %.40q: want reset, change, adminReset or unlock", r.Operation)
	}
	if _, err := ParseTrackingID(string(r.TrackingID)); err != nil {
		return err
	}
	if !cloudAnchor.MatchString(r.CloudAnchor) {
		return invalid("cloud anchor %.60q: want User_<guid>", r.CloudAnchor)
	}
	if anchor, err := base64.StdEncoding.DecodeString(r.SourceAnchor); err != nil || len(anchor) != sourceAnchorSize {
		return invalid("source anchor %.60q: want %d bytes in base64", r.SourceAnchor, sourceAnchorSize)
	}
	for _, name := range [...]struct{ what, text string }{{"domain", r.Domain}, {"domain controller", r.DC}} {
		if len(name.text) > 255 || !dnsName.MatchString(name.text) {
			return invalid("%s %.60q: want a DNS name", name.what, name.text)
		}
	}
	for _, f := range [...]struct{ what, text string }{{"tenant", r.Tenant}, {"user principal name", r.UPN}, {"actor", r.Actor}, {"reply session", r.ReplySession}} {
		if f.text == "" || len(f.text) > MaxText {
			return invalid("%s: want 1 to %d bytes, got %d", f.what, MaxText, len(f.text))
		}
	}
	if r.MustChange && !r.Operation.SetsPassword() {
		return invalid("must-change without a new password")
	}
	return r.validateTimes()
}

func (r Request) validateTimes() error {
	if span := r.Deadline.Sub(r.IssuedAt); span <= 0 || span > MaxDeadline {
		return invalid("deadline %s after issued-at: want more than 0 and at most %s", span, MaxDeadline)
	}
	if len(r.Supersedes) > MaxSupersedes {
		return invalid("supersedes %d requests: want at most %d", len(r.Supersedes), MaxSupersedes)
	}
	for _, id := range r.Supersedes {
		if _, err := ParseTrackingID(string(id)); err != nil {
			return err
		}
		if id == r.TrackingID {
			return invalid("supersedes itself")
		}
	}
	return nil
}

// CheckTime wraps ErrExpired when the deadline has passed at now, and ErrInvalid for a request from the future.
func (r Request) CheckTime(now time.Time) error {
	if !now.Before(r.Deadline) {
		return fmt.Errorf("deadline %s: %w", r.Deadline.UTC().Format(time.RFC3339Nano), ErrExpired)
	}
	if ahead := r.IssuedAt.Sub(now); ahead > MaxClockSkew {
		return invalid("issued %s ahead of the agent's clock", ahead.Round(time.Millisecond))
	}
	return nil
}

// Validate checks that s is what the operation needs, and no more.
func (s Secrets) Validate(o Operation) error {
	for _, p := range [...]struct {
		what   string
		secret Secret
		wanted bool
	}{
		{"new password", s.New, o.SetsPassword()},
		{"old password", s.Old, o == Change},
	} {
		if p.secret.Empty() == p.wanted {
			return invalid("%s: present %t, wanted %t for %s", p.what, !p.secret.Empty(), p.wanted, o)
		}
		if n := len(utf16.Encode([]rune(p.secret.Reveal()))); n > MaxPassword {
			return invalid("%s: longer than %d characters", p.what, MaxPassword)
		}
	}
	return nil
}

// CheckFresh wraps ErrStale unless the heartbeat is newer than newest, the newest seen of its agent, and no older
// than two intervals at now.
func (h Heartbeat) CheckFresh(now, newest time.Time) error {
	if !h.IssuedAt.After(newest) || now.Sub(h.IssuedAt) > 2*HeartbeatInterval || h.IssuedAt.Sub(now) > MaxClockSkew {
		return fmt.Errorf("heartbeat of %s issued %s: %w", h.AgentID, h.IssuedAt.UTC().Format(time.RFC3339), ErrStale)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrInvalid)...)
}
