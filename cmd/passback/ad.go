package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"passback/fakead"
)

var windowsVersions = []string{"2012R2", "2016", "2019", "2022", "2025"}

// adFlags are the flags of `passback ad`.
type adFlags struct {
	options                fakead.Options
	ldif, words, readyFile string
	clientCA               string
	dnsPort, dcs, rodcs    int
}

func adCommand() *cobra.Command {
	var f adFlags
	c := &cobra.Command{
		Use:   "ad",
		Short: "Serve a fake Active Directory domain controller",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return serveAD(c, f) },
	}
	c.Flags().StringVar(&f.options.Domain, "domain", "corp.example", "DNS name of the `DOMAIN`")
	c.Flags().StringVar(&f.options.NetBIOS, "netbios", "", "NetBIOS `NAME` of the domain (default: the domain's first label, in capitals)")
	c.Flags().StringVar(&f.options.AdminPassword, "admin-password", "", "the Administrator's `PASSWORD` (default: a random one, shown)")
	c.Flags().StringVar(&f.ldif, "ldif", "", "add the entries of this `FILE`, as ldifde exports a domain")
	c.Flags().StringVar(&f.words, "banned-words", "", "refuse new passwords that contain a word of this `FILE`, a word a line")
	c.Flags().StringVar(&f.clientCA, "client-ca", "", "let the client certificates of the authorities in this PEM `FILE` bind")
	c.Flags().StringVar(&f.options.OS, "os", "2022", "Windows Server `VERSION` to be: "+strings.Join(windowsVersions, ", "))
	c.Flags().StringVar(&f.options.Listen, "listen", "127.0.0.1", "`IP` to listen on")
	c.Flags().IntVar(&f.options.LDAPPort, "ldap-port", 10389, "LDAP `PORT`; 0 picks a free one")
	c.Flags().IntVar(&f.options.LDAPSPort, "ldaps-port", 10636, "LDAPS `PORT`; 0 picks a free one")
	c.Flags().IntVar(&f.options.GCPort, "gc-port", -1, "also serve the global catalog, which nobody can write, on this `PORT`; 0 picks a free one, -1 none")
	c.Flags().IntVar(&f.options.GCSPort, "gcs-port", -1, "also serve the global catalog with TLS on this `PORT`; 0 picks a free one, -1 none")
	c.Flags().IntVar(&f.dcs, "dcs", 1, "how many writable domain controllers the domain has, a `NUMBER`; those after the first take free ports")
	c.Flags().IntVar(&f.rodcs, "rodcs", 0, "and how many read-only ones, a `NUMBER`")
	c.Flags().IntVar(&f.dnsPort, "dns-port", -1, "also answer DNS with the domain's records on this `PORT`, UDP and TCP; 0 picks a free one, -1 none")
	c.Flags().StringVar(&f.readyFile, "ready-file", "", "write this `FILE` when serving")
	return c
}

func serveAD(c *cobra.Command, f adFlags) error {
	if !slices.Contains(windowsVersions, f.options.OS) {
		return usage(fmt.Errorf("--os %q is not one of %s", f.options.OS, strings.Join(windowsVersions, ", ")))
	}
	if f.dcs < 1 || f.rodcs < 0 || f.dcs+f.rodcs > maxDCs {
		return usage(fmt.Errorf("--dcs %d and --rodcs %d: a domain has at least one writable domain controller, and at most %d in all", f.dcs, f.rodcs, maxDCs))
	}
	if f.options.NetBIOS == "" {
		first, _, _ := strings.Cut(f.options.Domain, ".")
		f.options.NetBIOS = strings.ToUpper(first)
	}
	if f.ldif != "" {
		file, err := os.Open(f.ldif)
		if err != nil {
			return fmt.Errorf("--ldif: %w", err)
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return fmt.Errorf("--ldif: %w", err)
		}
		f.options.LDIF = newProgress(file, f.ldif, info.Size(), c.ErrOrStderr())
	}
	if f.words != "" {
		filter, err := bannedWords(f.words)
		if err != nil {
			return fmt.Errorf("--banned-words: %w", err)
		}
		f.options.Filters = append(f.options.Filters, filter)
	}
	if f.clientCA != "" {
		pool, err := authorities(f.clientCA)
		if err != nil {
			return fmt.Errorf("--client-ca: %w", err)
		}
		f.options.ClientCAs = pool
	}
	f.options.GlobalCatalog = f.options.GCPort >= 0 || f.options.GCSPort >= 0
	ready := readyFile(f.readyFile)
	if err := ready.remove(); err != nil {
		return err
	}
	forest, err := fakead.NewForest(fakead.ForestOptions{Options: f.options, DCs: f.controllers()})
	if err != nil {
		return fmt.Errorf("start the directory: %w", err)
	}
	server := forest.DCs()[0]
	directory := directoryPart(server)
	if f.dnsPort >= 0 {
		if directory["dns_server"], err = forest.ListenDNS(f.dnsPort); err != nil {
			return errors.Join(err, forest.Close())
		}
	}
	ca, removeCA, err := caFile("ad", server.CA().PEM())
	if err != nil {
		return errors.Join(err, forest.Close())
	}
	defer removeCA()
	content := map[string]any{"ca_file": ca, "directory": directory}
	if dcs := forest.DCs(); len(dcs) > 1 {
		content["domain_controllers"] = controllersPart(dcs)
	}
	return serve(c.Context(), ready, content, func() { printAD(c.OutOrStdout(), forest, ca, directory["dns_server"]) }, forest.Close)
}

// maxDCs is a sane number for one process.
const maxDCs = 32

// controllers are the domain controllers to start, the read-only ones last.
func (f adFlags) controllers() []fakead.DC {
	dcs := make([]fakead.DC, f.dcs+f.rodcs)
	for i := range f.rodcs {
		dcs[f.dcs+i].ReadOnly = true
	}
	return dcs
}

// controllersPart tells of each domain controller, the first one too.
func controllersPart(dcs []*fakead.Server) (part []map[string]any) {
	for _, dc := range dcs {
		part = append(part, map[string]any{
			"host": dc.HostName(), "site": dc.Site(), "ldap": dc.LDAPURL(), "ldaps": dc.LDAPSURL(), "read_only": dc.ReadOnly(),
		})
	}
	return part
}

func bannedWords(name string) (fakead.PasswordFilter, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	defer file.Close()
	return fakead.BannedWords(file)
}

func authorities(name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", name)
	}
	return pool, nil
}

func directoryPart(s *fakead.Server) map[string]string {
	part := map[string]string{
		"ldap": s.LDAPURL(), "ldaps": s.LDAPSURL(), "base_dn": s.BaseDN(), "dns": s.Domain(), "netbios": s.NetBIOS(),
		"admin_dn": s.AdminDN(), "admin_password": s.AdminPassword(),
	}
	for name, url := range map[string]string{"gc": s.GCURL(), "gcs": s.GCSURL()} {
		if url != "" {
			part[name] = url
		}
	}
	return part
}

func printAD(w io.Writer, forest *fakead.Forest, caFile, dns string) {
	dcs := forest.DCs()
	s := dcs[0]
	fmt.Fprintf(w, `A fake domain controller of %s serves until it is interrupted.

  LDAP   %s (StartTLS too)
  LDAPS  %s
`, s.Domain(), s.LDAPURL(), s.LDAPSURL())
	for _, dc := range dcs[1:] {
		kind := "writable"
		if dc.ReadOnly() {
			kind = "read-only"
		}
		fmt.Fprintf(w, "  %-6s %s and %s, %s\n", strings.TrimSuffix(dc.HostName(), "."+dc.Domain()), dc.LDAPURL(), dc.LDAPSURL(), kind)
	}
	for _, url := range []string{s.GCURL(), s.GCSURL()} {
		if url != "" {
			fmt.Fprintf(w, "  GC     %s\n", url)
		}
	}
	if dns != "" {
		fmt.Fprintf(w, "  DNS    %s\n", dns)
	}
	fmt.Fprintf(w, `  CA     %s
  admin  %s, password %s

Try it:

  LDAPTLS_CACERT=%s ldapsearch -x -H %s -D Administrator@%s -w '%s' -b '%s' '(sAMAccountName=Administrator)'
`, caFile, s.AdminDN(), s.AdminPassword(), caFile, s.LDAPSURL(), s.Domain(), s.AdminPassword(), s.BaseDN())
}
