package main

// Filling a domain controller through LDAP, so that the fake one and the real one get the same.

import (
	"bytes"
	"context"
	"errors"
)

const codeEntryAlreadyExists = 68

// fill adds the users, unless they are there, and returns their objectGUIDs.
func (s *server) fill(ctx context.Context) ([][]byte, error) {
	c, err := s.connect(ctx, true)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	guids := make([][]byte, s.users)
	for i := range guids {
		if err := c.do(addUser(s.base, userName(i)), codeEntryAlreadyExists); err != nil {
			return nil, err
		}
		if guids[i], err = c.guid(s.base, userName(i)); err != nil {
			return nil, err
		}
	}
	return guids, nil
}

// guid reads the objectGUID of a user.
func (c *client) guid(base, name string) ([]byte, error) {
	if _, err := c.conn.Write(nameSearch(base, name)); err != nil {
		return nil, err //nolint:wrapcheck // the caller says what it was doing
	}
	body, err := messageOf(c.reader)
	if err != nil {
		return nil, err
	}
	at := bytes.Index(body, []byte("objectGUID"))
	if at < 0 {
		return nil, errors.New("a user without objectGUID: " + name)
	}
	set, _ := content(body[at+len("objectGUID"):])
	value, _ := content(set)
	guid := bytes.Clone(value)
	_, err = answer(c.reader)
	return guid, err
}
