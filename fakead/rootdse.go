package fakead

// rootDSE, MS-ADTS 3.1.1.3.2, as Windows Server 2012 R2 to 2025 show it. Left out on purpose: the DNS naming
// contexts, since DNS is not this server's, the LDAP ping, and the operational attributes that start an action when written.

import (
	"slices"
	"strconv"
	"strings"

	"passback/fakead/tree"
)

var supportedCapabilities = []string{"800", "1670", "1791", "1935", "2080", "2237"}

var supportedPolicies = []string{
	"MaxPoolThreads", "MaxPercentDirSyncRequests", "MaxDatagramRecv", "MaxReceiveBuffer", "InitRecvTimeout", "MaxConnections", "MaxConnIdleTime",
	"MaxPageSize", "MaxBatchReturnMessages", "MaxQueryDuration", "MaxDirSyncDuration", "MaxTempTableSize", "MaxResultSetSize", "MinResultSets",
	"MaxResultSetsPerConn", "MaxNotificationPerConn", "MaxValRange", "MaxValRangeTransitive", "ThreadMemoryLimit", "SystemMemoryLimitPercent",
}

func (s *Server) capabilities() []string {
	if s.readOnly {
		return withPrefix(microsoftLDAP, append(slices.Clone(supportedCapabilities), capabilityPartialSecrets))
	}
	return withPrefix(microsoftLDAP, supportedCapabilities)
}

// searchRootDSE answers whatever the filter: rootDSE is no entry.
func (s *Server) searchRootDSE(req *request, m *searchRequest) result {
	all := len(m.attributes) == 0
	asked := map[string]bool{}
	for _, name := range m.attributes {
		asked[strings.ToLower(name)] = true
		all = all || name == "*"
	}
	if asked["netlogon"] {
		return result{} // an LDAP ping (MS-ADTS 6.3.3) that matches no domain controller, as it were
	}
	entry := req.answer.beginEntry(req.id, "")
	values := s.rootDSE()
	if asked["tokengroups"] {
		values = append(values, s.callerGroups(req.session))
	}
	for _, v := range values {
		if byName := asked[strings.ToLower(v.Name)]; !byName && (!all || onlyByName[v.Name]) {
			continue
		}
		if m.typesOnly {
			v.Values = nil
		}
		entry.attribute(v.Name, v.Values)
	}
	entry.end()
	if _, paged := req.control(oidPagedResults); paged {
		return result{controls: []control{encodePagedResults("")}}
	}
	return result{}
}

// onlyByName are shown to those who ask for them.
var onlyByName = map[string]bool{"supportedExtension": true}

func (s *Server) rootDSE() []tree.Value {
	base, config, schema := s.tree.Base().String(), s.tree.ConfigurationDN().String(), s.tree.SchemaDN().String()
	level := strconv.Itoa(levels[s.os].functional)
	return []tree.Value{
		tree.Strings("domainFunctionality", level),
		tree.Strings("forestFunctionality", level),
		tree.Strings("domainControllerFunctionality", level),
		tree.Strings("rootDomainNamingContext", base),
		tree.Strings("ldapServiceName", s.domain+":"+s.host+"$@"+strings.ToUpper(s.domain)),
		tree.Strings("isGlobalCatalogReady", "TRUE"),
		tree.Strings("supportedSASLMechanisms", "GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5"),
		tree.Strings("supportedLDAPVersion", "3", "2"),
		tree.Strings("supportedLDAPPolicies", supportedPolicies...),
		tree.Strings("supportedControl", s.controlOIDs()...),
		tree.Strings("supportedCapabilities", s.capabilities()...),
		tree.Strings("supportedExtension", extensionOIDs()...),
		tree.Strings("subschemaSubentry", "CN=Aggregate,"+schema),
		tree.Strings("serverName", s.serverDN()),
		tree.Strings("schemaNamingContext", schema),
		tree.Strings("namingContexts", base, config, schema),
		tree.Strings("isSynchronized", "TRUE"),
		tree.Strings("highestCommittedUSN", strconv.FormatInt(s.tree.USN(), 10)),
		tree.Strings("dsServiceName", s.settingsDN()),
		tree.Strings("dnsHostName", s.HostName()),
		tree.Strings("defaultNamingContext", base),
		tree.Strings("currentTime", tree.FormatTime(s.clock.Now())),
		tree.Strings("configurationNamingContext", config),
	}
}

// callerGroups are the identifiers in the caller's token, their own too (MS-ADTS 3.1.1.3.2.19).
func (s *Server) callerGroups(c *session) tree.Value {
	groups := tree.Value{Name: "tokenGroups"}
	for _, sid := range s.tokenOf(c).Identifiers() {
		groups.Values = append(groups.Values, []byte(sid))
	}
	return groups
}

func withPrefix(prefix string, list []string) []string {
	full := make([]string, len(list))
	for i, s := range list {
		full[i] = prefix + s
	}
	return full
}
