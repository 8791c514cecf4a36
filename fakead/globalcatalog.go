package fakead

// The global catalog (MS-ADTS 3.1.1.1.8), at ports 3268 and with TLS 3269 of a domain controller (3.1.1.3.1.10): all naming
// contexts of the forest are searched as one tree, the empty name being its root, and of each object there is only what a
// partial replica has, the attributes of the partial attribute set, and what is computed. Nothing can be written, and who
// is nobody learns that first, as from Samba: no source tells it of Windows. Nor does any tell whether a domain controller
// shows here what it computes from attributes outside of the set; it does, of the objects of its own domain.
//
// Left out on purpose: other domains of the forest, and so the memberships that a catalog lacks of those, in groups
// that are not universal.

import (
	"net"

	"passback/fakead/tree"
)

// An ownPort is one of those that the server itself listens on.
type ownPort struct {
	listener net.Listener // nil: it was not opened
	port     port
}

func (s *Server) ownPorts() []ownPort {
	return []ownPort{{s.ldap, port{}}, {s.ldaps, port{tls: s.tls}}, {s.gc, port{catalog: true}}, {s.gcs, port{tls: s.tls, catalog: true}}}
}

// lacks tells whether the connection is to the global catalog, which does not have the attribute of any object.
func (c *connection) lacks(a *tree.Attribute) bool { return c.catalog && !a.InCatalog }

func (s *Server) listenForCatalog(o Options) (err error) {
	if !o.GlobalCatalog {
		return nil
	}
	if s.gc, err = listenOn(o.Listen, o.GCPort, "the global catalog"); err != nil {
		return err
	}
	s.gcs, err = listenOn(o.Listen, o.GCSPort, "the global catalog with TLS")
	return err
}

// ServeGC answers as the global catalog, with StartTLS, on a listener of the caller's until it or the server is closed.
func (s *Server) ServeGC(l net.Listener) error { return s.front.serve(l, port{catalog: true}) }

// ServeGCTLS answers as the global catalog with TLS on a listener of the caller's until it or the server is closed.
func (s *Server) ServeGCTLS(l net.Listener) error {
	return s.front.serve(l, port{tls: s.tls, catalog: true})
}
