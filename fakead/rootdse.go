package fakead

// rootDSE, MS-ADTS 3.1.1.3.2, as Windows Server 2012 R2 to 2025 show it. Left out on purpose: the DNS naming
// contexts, since DNS is not this server's, and the operational attributes that start an action when written.

import (
	"slices"
	"strconv"
	"strings"

	"passback/fakead/tree"
)

// supportedControls are those of every version since 2012 R2, by the last number of 1.2.840.113556.1.4.
var supportedControls = []string{
	"319", "801", "473", "528", "417", "619", "841", "529", "805", "521", "970", "1338", "474", "1339", "1340", "1413", "1504", "1852", "802",
	"1907", "1948", "1974", "1341", "2026", "2064", "2065", "2066", "2090", "2205", "2204", "2206", "2211", "2239", "2255", "2256",
}

// laterControls came with a version.
var laterControls = map[string][]string{
	"2012R2": nil, "2016": {"2309"}, "2019": {"2309", "2330", "2354"}, "2022": {"2309", "2330", "2354"}, "2025": {"2309", "2330", "2354"},
}

// netscapeControls are those of virtual list views.
var netscapeControls = []string{"2.16.840.1.113730.3.4.9", "2.16.840.1.113730.3.4.10"}

const microsoftLDAP = "1.2.840.113556.1.4."

var supportedCapabilities = []string{"800", "1670", "1791", "1935", "2080", "2237"}

var supportedExtensions = []string{
	oidStartTLS, "1.3.6.1.4.1.1466.101.119.1", microsoftLDAP + "1781", oidWhoAmI, microsoftLDAP + "2212",
}

var supportedPolicies = []string{
	"MaxPoolThreads", "MaxPercentDirSyncRequests", "MaxDatagramRecv", "MaxReceiveBuffer", "InitRecvTimeout", "MaxConnections", "MaxConnIdleTime",
	"MaxPageSize", "MaxBatchReturnMessages", "MaxQueryDuration", "MaxDirSyncDuration", "MaxTempTableSize", "MaxResultSetSize", "MinResultSets",
	"MaxResultSetsPerConn", "MaxNotificationPerConn", "MaxValRange", "MaxValRangeTransitive", "ThreadMemoryLimit", "SystemMemoryLimitPercent",
}

func (s *Server) controlOIDs() []string {
	var oids []string
	for _, number := range slices.Concat(supportedControls, laterControls[s.os]) {
		if oid := microsoftLDAP + number; !s.withoutPolicyHints.Load() || oid != oidPolicyHints && oid != oidPolicyHintsDeprecated {
			oids = append(oids, oid)
		}
	}
	return append(oids, netscapeControls...)
}

func (s *Server) supportsControl(oid string) bool { return slices.Contains(s.controlOIDs(), oid) }

// searchRootDSE answers whatever the filter: rootDSE is no entry.
func (s *Server) searchRootDSE(req *request, m *searchRequest) result {
	all := len(m.attributes) == 0
	asked := map[string]bool{}
	for _, name := range m.attributes {
		asked[strings.ToLower(name)] = true
		all = all || name == "*"
	}
	entry := req.answer.beginEntry(req.id, "")
	for _, v := range s.rootDSE() {
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
var onlyByName = map[string]bool{"netlogon": true, "supportedExtension": true}

func (s *Server) rootDSE() []tree.Value {
	base, config, schema := s.tree.Base().String(), s.tree.ConfigurationDN().String(), s.tree.SchemaDN().String()
	settings := ntdsSettings + base
	_, server, _ := strings.Cut(settings, ",")
	level := strconv.Itoa(levels[s.os].functional)
	return []tree.Value{
		tree.Strings("domainFunctionality", level),
		tree.Strings("forestFunctionality", level),
		tree.Strings("domainControllerFunctionality", level),
		tree.Strings("rootDomainNamingContext", base),
		tree.Strings("ldapServiceName", s.domain+":dc1$@"+strings.ToUpper(s.domain)),
		tree.Strings("isGlobalCatalogReady", "TRUE"),
		tree.Strings("supportedSASLMechanisms", "GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5"),
		tree.Strings("supportedLDAPVersion", "3", "2"),
		tree.Strings("supportedLDAPPolicies", supportedPolicies...),
		tree.Strings("supportedControl", s.controlOIDs()...),
		tree.Strings("supportedCapabilities", withPrefix(microsoftLDAP, supportedCapabilities)...),
		tree.Strings("supportedExtension", supportedExtensions...),
		tree.Strings("subschemaSubentry", "CN=Aggregate,"+schema),
		tree.Strings("serverName", server),
		tree.Strings("schemaNamingContext", schema),
		tree.Strings("namingContexts", base, config, schema),
		tree.Strings("isSynchronized", "TRUE"),
		tree.Strings("highestCommittedUSN", strconv.FormatInt(s.tree.USN(), 10)),
		tree.Strings("dsServiceName", settings),
		tree.Strings("dnsHostName", s.HostName()),
		tree.Strings("defaultNamingContext", base),
		tree.Strings("currentTime", tree.FormatTime(s.clock.Now())),
		tree.Strings("configurationNamingContext", config),
	}
}

func withPrefix(prefix string, list []string) []string {
	full := make([]string, len(list))
	for i, s := range list {
		full[i] = prefix + s
	}
	return full
}
