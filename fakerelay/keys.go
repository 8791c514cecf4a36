package fakerelay

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Rights are what a shared access key allows.
type Rights uint8

// The claims of the service. Manage includes the other two.
const (
	Listen Rights = 1 << iota
	Send
	Manage
)

// Has reports whether r includes all of want.
func (r Rights) Has(want Rights) bool {
	if r&Manage != 0 {
		r |= Listen | Send
	}
	return r&want == want
}

// String lists the rights as the service writes them.
func (r Rights) String() string {
	var names []string
	for _, one := range []struct {
		right Rights
		name  string
	}{{Manage, "Manage"}, {Send, "Send"}, {Listen, "Listen"}} {
		if r&one.right != 0 {
			names = append(names, one.name)
		}
	}
	return strings.Join(names, ",")
}

// RootKeyName is the name of the key that every namespace is made with.
const RootKeyName = "RootManageSharedAccessKey"

// maxKeys is how many authorization rules the service keeps for a namespace or an entity.
const maxKeys = 12

// A Key is a shared access authorization rule. It prints without its secret.
type Key struct {
	Name   string // 1 to 256 characters
	Secret string // used as it is, not decoded from base64
	Rights Rights

	// Secondary is a second secret that signs as well, for changing secrets one after the other; empty: none.
	Secondary string
}

// has reports whether a secret is one of the two.
func (k Key) has(secret string) bool {
	return sameSecret(k.Secret, secret) || k.Secondary != "" && sameSecret(k.Secondary, secret)
}

// String redacts the secret.
func (k Key) String() string { return k.Name + " (" + k.Rights.String() + ")" }

// GoString redacts the secret.
func (k Key) GoString() string { return "fakerelay.Key{" + k.String() + "}" }

func (k Key) check() error {
	switch {
	case k.Name == "" || len(k.Name) > 256:
		return fmt.Errorf("key name %q: must have 1 to 256 characters", k.Name)
	case k.Secret == "" || len(k.Secret) > 256 || len(k.Secondary) > 256:
		return fmt.Errorf("key %s: the secret must have 1 to 256 characters", k.Name)
	case k.Rights == 0 || k.Rights > Listen|Send|Manage:
		return fmt.Errorf("key %s: rights must be one or more of Manage, Send and Listen", k.Name)
	}
	return nil
}

var (
	errTooManyKeys = fmt.Errorf("a namespace or an entity has at most %d keys: delete one first", maxKeys)
	// ErrNoKey says that there is no key of this name.
	ErrNoKey = errors.New("no such key")
)

// keyring holds the keys of a namespace, by folded entity path ("" for the namespace's own) and name.
type keyring struct {
	mu   sync.RWMutex
	keys map[string]map[string]Key
}

func (r *keyring) set(entity string, k Key) error {
	if err := k.check(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	entity = foldPath(entity)
	if r.keys == nil {
		r.keys = make(map[string]map[string]Key)
	}
	of := r.keys[entity]
	if of == nil {
		of = make(map[string]Key)
		r.keys[entity] = of
	}
	if _, known := of[k.Name]; !known && len(of) == maxKeys {
		return fmt.Errorf("key %s: %w", k.Name, errTooManyKeys)
	}
	of[k.Name] = k
	return nil
}

func (r *keyring) remove(entity, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.keys[foldPath(entity)]
	if _, known := of[name]; !known {
		return fmt.Errorf("key %s of %q: %w", name, entity, ErrNoKey)
	}
	delete(of, name)
	return nil
}

func (r *keyring) removeEntity(entity string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, foldPath(entity))
}

// replace makes these the only keys of an entity.
func (r *keyring) replace(entity string, keys []Key) error {
	wanted := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		wanted[k.Name] = struct{}{}
	}
	for _, k := range r.list(entity) {
		if _, kept := wanted[k.Name]; kept {
			continue
		}
		if err := r.remove(entity, k.Name); err != nil && !errors.Is(err, ErrNoKey) {
			return err
		}
	}
	for _, k := range keys {
		if err := r.set(entity, k); err != nil {
			return err
		}
	}
	return nil
}

// reset makes these the only keys of all.
func (r *keyring) reset(keys []Key) error {
	r.mu.Lock()
	maps.DeleteFunc(r.keys, func(entity string, _ map[string]Key) bool { return entity != "" })
	r.mu.Unlock()
	return r.replace("", keys)
}

// list has the keys of an entity by name.
func (r *keyring) list(entity string) []Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var keys []Key
	for _, k := range r.keys[foldPath(entity)] {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
	return keys
}

// named lists the keys of this name that may sign for a path: those of the entities above it and of the
// namespace.
func (r *keyring) named(name, path string) []Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var found []Key
	for entity := foldPath(path); ; {
		if k, known := r.keys[entity][name]; known {
			found = append(found, k)
		}
		if entity == "" {
			return found
		}
		entity = entity[:max(strings.LastIndexByte(entity, '/'), 0)]
	}
}

// A signer is one of the two secrets of a key, as it stood when a token was verified.
type signer struct {
	name, secret string
	rights       Rights
}

// String redacts the secret.
func (s *signer) String() string { return s.name + " (" + s.rights.String() + ")" }

// current reports whether the key is there, with the same rights, and the secret still one of its two: the other may
// have been replaced.
func (r *keyring) current(path string, s *signer) bool {
	return slices.ContainsFunc(r.named(s.name, path), func(k Key) bool { return k.Rights == s.rights && k.has(s.secret) })
}

// foldPath makes paths comparable: the service ignores case and slashes at the ends.
func foldPath(path string) string { return strings.ToLower(strings.Trim(path, "/")) }
