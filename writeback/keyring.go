package writeback

// The agent's key pairs. One rolls over every six months of domain time, as the real service's does: the next key is
// on the disk before the cloud is told of it, by an enrolment that the current one signs; the cloud seals to both
// until a heartbeat shows the next; the old one goes once nothing that was sealed to it can still arrive.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

const (
	keyFile     = "agent.key"
	nextKeyFile = "agent.key.next" // the cloud has not answered for it yet
	oldKeyFile  = "agent.key.old"  // requests sealed to it may be on their way

	keyLifetime = 182 * 24 * time.Hour
	oldKeyGrace = protocol.MaxDeadline + 5*time.Minute // after the first beat with the new one
)

// A keyring is the keys on the disk.
type keyring struct {
	state state
	clock clock.Clock

	mu      sync.Mutex
	current agentKey
	next    *agentKey
	old     *agentKey
}

type agentKey struct {
	protocol.PrivateKey
	created time.Time // domain time
}

// openKeyring reads the keys, and ends a rollover that was cut off.
func openKeyring(s state, c clock.Clock) (*keyring, error) {
	k, err := peekKeyring(s, c)
	if err != nil {
		return nil, err
	}
	if k.next != nil && (k.current.created.IsZero() || s.opensWith(k.next.PrivateKey)) { // between the two renames, or before
		return k, k.promote()
	}
	return k, nil
}

// peekKeyring reads the keys and changes nothing, since an agent may be at work.
func peekKeyring(s state, c clock.Clock) (*keyring, error) {
	k := &keyring{state: s, clock: c}
	var err error
	if k.next, err = k.read(nextKeyFile); err != nil {
		return nil, err
	}
	if k.old, err = k.read(oldKeyFile); err != nil {
		return nil, err
	}
	current, err := k.read(keyFile)
	switch {
	case err != nil:
		return nil, err
	case current != nil:
		k.current = *current
	case k.next == nil:
		return nil, fmt.Errorf("%w (%s is missing)", errNotEnrolled, filepath.Join(s.dir, keyFile))
	}
	return k, nil
}

// newKeyring makes the first key. It is on the disk when newKeyring returns.
func newKeyring(s state, c clock.Clock) (*keyring, error) {
	k := &keyring{state: s, clock: c}
	made, err := k.make(keyFile)
	if err == nil {
		k.current = *made
	}
	return k, err
}

const createdPrefix = "created "

func (k *keyring) make(name string) (*agentKey, error) {
	key, err := protocol.NewPrivateKey()
	if err != nil {
		return nil, err
	}
	text, err := key.PEM()
	if err != nil {
		return nil, err
	}
	made := &agentKey{key, k.clock.Now().UTC().Truncate(time.Second)}
	return made, k.state.write(name, append([]byte(createdPrefix+made.created.Format(time.RFC3339)+"\n"), text...))
}

// read returns nil where there is no such file.
func (k *keyring) read(name string) (*agentKey, error) {
	text, err := k.state.read(name)
	if errors.Is(err, errNotEnrolled) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	first, pem, _ := bytes.Cut(text, []byte("\n"))
	created, err := time.Parse(time.RFC3339, strings.TrimPrefix(string(first), createdPrefix))
	if err != nil {
		return nil, fmt.Errorf("%s: does not begin with the time of its making: %w", filepath.Join(k.state.dir, name), protocol.ErrInvalid)
	}
	key, err := protocol.ParsePrivateKey(pem)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(k.state.dir, name), err)
	}
	return &agentKey{key, created}, nil
}

// signer is the key that speaks for the agent.
func (k *keyring) signer() protocol.PrivateKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current.PrivateKey
}

// all are the keys that a request may be sealed to.
func (k *keyring) all() []protocol.Decrypter {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := []protocol.Decrypter{k.current.PrivateKey}
	for _, other := range []*agentKey{k.next, k.old} {
		if other != nil {
			keys = append(keys, other.PrivateKey)
		}
	}
	return keys
}

// shown are the thumbprints for a heartbeat, the newest first.
func (k *keyring) shown() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	shown := []string{k.current.Thumbprint()}
	if k.old != nil {
		shown = append(shown, k.old.Thumbprint())
	}
	return shown
}

// age is the current key's, by domain time; old tells whether the one before is still held.
func (k *keyring) age() (age time.Duration, old bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clock.Now().Sub(k.current.created), k.old != nil
}

// wanted is the key to enrol: the current one or, once that is old, the next, which is made now if need be.
func (k *keyring) wanted() (protocol.PrivateKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil && k.old == nil && k.clock.Now().Sub(k.current.created) >= keyLifetime {
		next, err := k.make(nextKeyFile)
		if err != nil {
			return protocol.PrivateKey{}, err
		}
		k.next = next
	}
	if k.next != nil {
		return k.next.PrivateKey, nil
	}
	return k.current.PrivateKey, nil
}

// keep writes the cloud's answer; where that is sealed to the next key, it becomes the current one.
func (k *keyring) keep(sealed []byte) (rolled bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.state.write(enrolmentFile, sealed); err != nil {
		return false, err
	}
	if k.next == nil || !k.state.opensWith(k.next.PrivateKey) {
		return false, nil
	}
	return true, k.promote()
}

// promote moves the next key into the current one's place, and that into the old one's. mu is held, or k is new.
func (k *keyring) promote() error {
	if k.current.created.IsZero() {
		k.current = *k.next
	} else if err := k.state.rename(keyFile, oldKeyFile); err != nil {
		return err
	} else {
		old := k.current
		k.old, k.current = &old, *k.next
	}
	k.next = nil
	return k.state.rename(nextKeyFile, keyFile)
}

// retire destroys the old key, if there is one.
func (k *keyring) retire() (retired bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.old == nil {
		return false, nil
	}
	if err := os.Remove(filepath.Join(k.state.dir, oldKeyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("state_dir: %w", err)
	}
	k.old = nil
	return true, nil
}
