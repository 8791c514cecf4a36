package directory

// The bind by Kerberos: SASL GSSAPI (RFC 4752) with a ticket for ldap/<dnsHostName> (RFC 4120, 4121). Every controller
// is a key distribution centre, so the one that is bound to is asked for the ticket too, on port 88 over TCP.
//
// Within TLS a controller refuses a layer of Kerberos' own (MS-ADTS 5.1.1.1.2: signing and sealing are not permitted
// there), so none is asked for, and the ticket is bound to the channel instead (RFC 5929 tls-server-end-point, RFC 4121
// 4.1.1.2): who relays it to another server is refused, and a controller that demands the binding (MS-ADTS 5.1.1.6,
// LdapEnforceChannelBinding) lets the agent in.
//
// gokrb5 connects by itself, for 5 s at most: no dial function and no context reaches it.
//
// Left out on purpose: accounts of another realm than the domain's, RC4 and DES keys, credential caches.

import (
	"crypto"
	"crypto/md5"
	_ "crypto/sha256" // the hashes that certificates are signed by
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3/gssapi"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	krbgss "github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
)

const portKerberos = "88"

// Principal is the account's name within the domain's realm: of name@domain, DOMAIN\name or name.
func Principal(user, domain string) (string, error) {
	name, realm, at := strings.Cut(user, "@")
	if at && !strings.EqualFold(realm, domain) || strings.Contains(user, "=") {
		return "", fmt.Errorf("directory %s: %q is no account that a ticket can be had for; want sAMAccountName@%s", domain, user, domain)
	}
	if _, after, slash := strings.Cut(name, `\`); slash {
		name = after
	}
	return name, nil
}

// ParseKeytab checks the text of a keytab file.
func ParseKeytab(text []byte) (*keytab.Keytab, error) {
	k := keytab.New()
	if err := k.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("not a keytab: %w", err)
	}
	if len(k.Entries) == 0 {
		return nil, errors.New("the keytab holds no key")
	}
	return k, nil
}

// bindGSSAPI gets a ticket and binds with it. The ticket is used once: nothing renews itself in the background, where
// a password that was changed meanwhile would count as wrong again and again.
func (c *Conn) bindGSSAPI() error {
	krb, err := c.domain.kerberosClient(c.address)
	if err != nil {
		return err
	}
	defer krb.Destroy()
	if err := krb.Login(); err != nil {
		return &ticketError{err}
	}
	state, ok := c.ldap.TLSConnectionState()
	if !ok {
		return errors.New("a ticket is sent within TLS only")
	}
	i := &initiator{Client: &gssapi.Client{Client: krb}, binding: channelBinding(state)}
	return c.ldap.GSSAPIBind(i, "ldap/"+c.root.host, "") //nolint:wrapcheck // bind wraps it, and looks at the code
}

func (d *Domain) kerberosClient(address string) (*client.Client, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	name, err := Principal(d.o.User, d.o.Domain)
	if err != nil {
		return nil, err
	}
	realm := strings.ToUpper(d.o.Domain)
	etypes := []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96}
	conf := config.New()
	conf.LibDefaults.DefaultRealm = realm
	conf.LibDefaults.UDPPreferenceLimit = 1 // TCP alone
	conf.LibDefaults.DefaultTktEnctypeIDs, conf.LibDefaults.DefaultTGSEnctypeIDs, conf.LibDefaults.PermittedEnctypeIDs = etypes, etypes, etypes
	conf.Realms = []config.Realm{{Realm: realm, KDC: []string{net.JoinHostPort(host, portKerberos)}}}
	if d.o.Keytab != nil {
		return client.NewWithKeytab(name, realm, d.o.Keytab, conf, client.DisablePAFXFAST(true)), nil
	}
	return client.NewWithPassword(name, realm, d.o.Password.Reveal(), conf, client.DisablePAFXFAST(true)), nil
}

// ErrTicket says that the key distribution centre gave no ticket.
var ErrTicket = errors.New("no ticket")

// A ticketError is that of a ticket which was not given. gokrb5 keeps the centre's code in its text alone.
type ticketError struct{ err error }

func (e *ticketError) Error() string { return "get a ticket: " + printable(e.err.Error()) }

func (e *ticketError) Unwrap() []error { return []error{ErrTicket, e.err} }

var codeOfKDC = regexp.MustCompile(`KRB Error: \((\d+)\)`)

// passing are the codes that say nothing of the account.
var passing = []int32{errorcode.KRB_AP_ERR_SKEW, errorcode.KDC_ERR_SVC_UNAVAILABLE, errorcode.KRB_ERR_GENERIC}

// refused reports whether the centre answered and does not want the account: whatever it says, bar a clock that is off
// or a service that is down, is not said twice.
func (e *ticketError) refused() bool {
	text := e.err.Error()
	if m := codeOfKDC.FindStringSubmatch(text); m != nil {
		code, err := strconv.ParseInt(m[1], 10, 32)
		return err == nil && !slices.Contains(passing, int32(code))
	}
	return strings.Contains(text, "client password/keytab incorrect")
}

// An initiator is go-ldap's, with a first token that is bound to the channel and asks for no layer.
type initiator struct {
	*gssapi.Client
	binding [md5.Size]byte
}

// InitSecContextWithOptions implements ldap.GSSAPIClient.
func (i *initiator) InitSecContextWithOptions(target string, input []byte, options []int) ([]byte, bool, error) {
	output, more, err := i.Client.InitSecContextWithOptions(target, input, options) // keeps the session's key
	if err != nil || input != nil {
		return output, more, err //nolint:wrapcheck // as above
	}
	ticket, key, err := i.GetServiceTicket(target) // the same again, from the client's memory
	if err != nil {
		return nil, false, &ticketError{err}
	}
	token, err := spnego.NewKRB5TokenAPREQ(i.Client.Client, ticket, key, nil, options)
	if err != nil {
		return nil, false, fmt.Errorf("make the first token: %w", err)
	}
	if token.APReq, err = i.request(ticket, key); err != nil {
		return nil, false, err
	}
	if output, err = token.Marshal(); err != nil {
		return nil, false, fmt.Errorf("encode the first token: %w", err)
	}
	return output, true, nil
}

// request is the AP-REQ, its authenticator's checksum that of RFC 4121 4.1.1.
func (i *initiator) request(ticket messages.Ticket, key types.EncryptionKey) (messages.APReq, error) {
	auth, err := types.NewAuthenticator(i.Credentials.Domain(), i.Credentials.CName())
	if err != nil {
		return messages.APReq{}, fmt.Errorf("make an authenticator: %w", err)
	}
	sum := binary.LittleEndian.AppendUint32(nil, md5.Size)
	sum = append(sum, i.binding[:]...)
	sum = binary.LittleEndian.AppendUint32(sum, krbgss.ContextFlagMutual)
	auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: sum}
	request, err := messages.NewAPReq(ticket, key, auth)
	if err != nil {
		return messages.APReq{}, fmt.Errorf("make an AP-REQ: %w", err)
	}
	return request, nil
}

// endPointHash is the certificate's own hash, and SHA-256 for those that are too weak (RFC 5929 4.1).
func endPointHash(certificate *x509.Certificate) []byte {
	hash := crypto.SHA256
	switch certificate.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write(certificate.Raw)
	return h.Sum(nil)
}

// channelBinding is the hash of the bindings of a TLS connection: no addresses, and the end point's certificate.
func channelBinding(state tls.ConnectionState) [md5.Size]byte {
	const noAddresses = 16 // two types and two lengths, all zero
	data := append([]byte("tls-server-end-point:"), endPointHash(state.PeerCertificates[0])...)
	text := binary.LittleEndian.AppendUint32(make([]byte, noAddresses), uint32(len(data)))
	return md5.Sum(append(text, data...))
}
