package fakead

// Which account a certificate is of: MS-PKCA 3.1.5.2.1. First the user principal name among its alternative names
// (3.1.5.2.1.1), then altSecurityIdentities (3.1.5.2.1.3). A certificate that holds an account's SID (MS-WCCE
// 2.2.2.7.7.4) is of no other account. Left out on purpose: the mapping by SHA1-PUKEY, of which no document says what is
// hashed, and the full enforcement of Microsoft's KB5014754, which takes strong mappings only.

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"passback/fakead/tree"
)

var (
	oidSubjectAltName    = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidUserPrincipalName = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
	oidSecurityExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2}
	oidObjectSID         = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2, 1}
)

// accountOfCertificate finds whom a certificate is mapped to; nil is nobody.
func (s *Server) accountOfCertificate(c *x509.Certificate) *tree.Entry {
	if c == nil {
		return nil
	}
	user := s.byUPN(otherName(c, oidSubjectAltName, oidUserPrincipalName))
	if user == nil {
		user = s.byMapping(c)
	}
	if user == nil || !user.IsA("user") {
		return nil
	}
	if sid := otherName(c, oidSecurityExtension, oidObjectSID); sid != "" && sid != user.SID().String() {
		return nil
	}
	return user
}

func (s *Server) byMapping(c *x509.Certificate) *tree.Entry {
	mappings := explicitMappings(c)
	return s.only(func(e *tree.Entry) bool {
		return slices.ContainsFunc(mappings, func(m string) bool { return e.Has("altSecurityIdentities", m) })
	})
}

// explicitMappings are the values of altSecurityIdentities that name a certificate.
func explicitMappings(c *x509.Certificate) []string {
	issuer, subject := nameInMapping(c.RawIssuer), nameInMapping(c.RawSubject)
	serial := c.SerialNumber.Bytes()
	slices.Reverse(serial) // as Windows keeps it
	mappings := []string{
		"X509:<I>" + issuer + "<S>" + subject,
		"X509:<S>" + subject,
		"X509:<I>" + issuer + "<SR>" + hex.EncodeToString(serial),
	}
	if len(c.SubjectKeyId) > 0 {
		mappings = append(mappings, "X509:<SKI>"+hex.EncodeToString(c.SubjectKeyId))
	}
	for _, address := range c.EmailAddresses {
		mappings = append(mappings, "X509:<RFC822>"+address)
	}
	return mappings
}

// attributesOfNames are the keys that Windows writes the parts of a name with (CertNameToStr); others are OIDs.
var attributesOfNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "S", "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T",
	"2.5.4.4": "SN", "2.5.4.42": "G", "2.5.4.43": "I", "2.5.4.5": "SERIALNUMBER",
	"0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "E",
}

// nameInMapping writes an X.501 name in its own order, the root first, with a comma between its parts.
func nameInMapping(raw []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &name); err != nil || len(rest) > 0 {
		return ""
	}
	var parts []string
	for _, rdn := range name {
		var values []string
		for _, v := range rdn {
			key, known := attributesOfNames[v.Type.String()]
			if !known {
				key = "OID." + v.Type.String()
			}
			values = append(values, fmt.Sprintf("%s=%v", key, v.Value))
		}
		parts = append(parts, strings.Join(values, " + "))
	}
	return strings.Join(parts, ",")
}

// otherName reads the string of this type from an extension that holds GeneralNames (RFC 5280 4.2.1.6).
func otherName(c *x509.Certificate, extension, kind asn1.ObjectIdentifier) string {
	i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(extension) })
	if i < 0 {
		return ""
	}
	var names []asn1.RawValue
	if _, err := asn1.Unmarshal(c.Extensions[i].Value, &names); err != nil {
		return ""
	}
	for _, name := range names {
		if name.Class != asn1.ClassContextSpecific || name.Tag != 0 {
			continue
		}
		var id asn1.ObjectIdentifier
		var wrapped, value asn1.RawValue
		rest, err := asn1.Unmarshal(name.Bytes, &id)
		if err != nil || !id.Equal(kind) {
			continue
		}
		if _, err := asn1.Unmarshal(rest, &wrapped); err != nil {
			continue
		}
		if _, err := asn1.Unmarshal(wrapped.Bytes, &value); err == nil {
			return string(value.Bytes)
		}
	}
	return ""
}
