package fakead

// The controls that rootDSE lists, in the order in which a domain controller does (MS-ADTS 3.1.1.3.4.1), and what the
// fake makes of each. None is refused for being critical.

import "slices"

const microsoftLDAP = "1.2.840.113556.1.4."

// A listedControl is a control in rootDSE.
type listedControl struct {
	oid   string
	since string // the version of Windows Server that it came with; empty: all that can be chosen
	feature
}

var listedControls = []listedControl{
	{oidPagedResults, "", feature{"LDAP_PAGED_RESULT_OID_STRING", yes, ""}},
	{oidSDFlags, "", feature{"LDAP_SERVER_SD_FLAGS_OID", yes, ""}},
	{oidSort, "", feature{"LDAP_SERVER_SORT_OID", partly, "by one key, as Windows; strings by their characters, not by a language"}},
	{microsoftLDAP + "528", "", feature{"LDAP_SERVER_NOTIFICATION_OID", no, "a search ends when it is answered"}},
	{oidShowDeleted, "", feature{"LDAP_SERVER_SHOW_DELETED_OID", yes, ""}},
	{microsoftLDAP + "619", "", feature{"LDAP_SERVER_LAZY_COMMIT_OID", yes, "nothing is on a disk"}},
	{oidDirSync, "", feature{"LDAP_SERVER_DIRSYNC_OID", partly, "MaxBytes and LDAP_DIRSYNC_PUBLIC_DATA_ONLY have no effect"}},
	{oidExtendedDN, "", feature{"LDAP_SERVER_EXTENDED_DN_OID", yes, ""}},
	{oidTreeDelete, "", feature{"LDAP_SERVER_TREE_DELETE_OID", yes, ""}},
	{microsoftLDAP + "521", "", feature{"LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID", no, "there is one domain"}},
	{microsoftLDAP + "970", "", feature{"LDAP_SERVER_GET_STATS_OID", no, ""}},
	{microsoftLDAP + "1338", "", feature{"LDAP_SERVER_VERIFY_NAME_OID", yes, "names are looked up here, where all are"}},
	{oidSortResponse, "", feature{"LDAP_SERVER_RESP_SORT_OID", yes, "in answers only"}},
	{oidDomainScope, "", feature{"LDAP_SERVER_DOMAIN_SCOPE_OID", yes, ""}},
	{oidSearchOptions, "", feature{"LDAP_SERVER_SEARCH_OPTIONS_OID", yes, ""}},
	{oidPermissiveModify, "", feature{"LDAP_SERVER_PERMISSIVE_MODIFY_OID", yes, ""}},
	{oidAttributeScope, "", feature{"LDAP_SERVER_ASQ_OID", yes, ""}},
	{microsoftLDAP + "1852", "", feature{"LDAP_SERVER_QUOTA_CONTROL_OID", no, "there are no quotas"}},
	{microsoftLDAP + "802", "", feature{"LDAP_SERVER_RANGE_OPTION_OID", yes, "says that ;range= is understood"}},
	{microsoftLDAP + "1907", "", feature{"LDAP_SERVER_SHUTDOWN_NOTIFY_OID", no, ""}},
	{microsoftLDAP + "1948", "", feature{"LDAP_SERVER_RANGE_RETRIEVAL_NOERR_OID", yes, "a range beyond the last value is no error without it either"}},
	{microsoftLDAP + "1974", "", feature{"LDAP_SERVER_FORCE_UPDATE_OID", no, ""}},
	{microsoftLDAP + "1341", "", feature{"LDAP_SERVER_RODC_DCPROMO_OID", no, ""}},
	{microsoftLDAP + "2026", "", feature{"LDAP_SERVER_DN_INPUT_OID", no, ""}},
	{oidShowRecycled, "", feature{"LDAP_SERVER_SHOW_RECYCLED_OID", yes, ""}},
	{microsoftLDAP + "2065", "", feature{"LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID", yes, "links of deleted objects are gone, as without the Recycle Bin"}},
	{oidPolicyHintsDeprecated, "", feature{"LDAP_SERVER_POLICY_HINTS_DEPRECATED_OID", yes, ""}},
	{microsoftLDAP + "2090", "", feature{"LDAP_SERVER_DIRSYNC_EX_OID", no, ""}},
	{microsoftLDAP + "2205", "", feature{"LDAP_SERVER_UPDATE_STATS_OID", no, ""}},
	{microsoftLDAP + "2204", "", feature{"LDAP_SERVER_TREE_DELETE_EX_OID", no, ""}},
	{microsoftLDAP + "2206", "", feature{"LDAP_SERVER_SEARCH_HINTS_OID", yes, "hints change no answer"}},
	{microsoftLDAP + "2211", "", feature{"LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID", no, ""}},
	{oidPolicyHints, "", feature{"LDAP_SERVER_POLICY_HINTS_OID", yes, ""}},
	{microsoftLDAP + "2255", "", feature{"LDAP_SERVER_SET_OWNER_OID", no, ""}},
	{microsoftLDAP + "2256", "", feature{"LDAP_SERVER_BYPASS_QUOTA_OID", no, "there are no quotas"}},
	{microsoftLDAP + "2309", "2016", feature{"LDAP_SERVER_LINK_TTL_OID", no, "links do not expire"}},
	{microsoftLDAP + "2330", "2019", feature{"LDAP_SERVER_SET_CORRELATION_ID_OID", no, ""}},
	{microsoftLDAP + "2354", "2019", feature{"LDAP_SERVER_THREAD_TRACE_OVERRIDE_OID", no, ""}},
	{oidListView, "", feature{"LDAP_CONTROL_VLVREQUEST", yes, ""}},
	{oidListViewResponse, "", feature{"LDAP_CONTROL_VLVRESPONSE", yes, "in answers only"}},
}

// controlOIDs are the controls of the server's version.
func (s *Server) controlOIDs() []string {
	var oids []string
	for _, c := range listedControls {
		if s.supportsListed(c) {
			oids = append(oids, c.oid)
		}
	}
	return oids
}

func (s *Server) supportsListed(c listedControl) bool {
	hints := c.oid == oidPolicyHints || c.oid == oidPolicyHintsDeprecated
	return c.since <= s.os && (!hints || !s.withoutPolicyHints.Load()) // versions are years, and in order as strings
}

func (s *Server) supportsControl(oid string) bool {
	i := slices.IndexFunc(listedControls, func(c listedControl) bool { return c.oid == oid })
	return i >= 0 && s.supportsListed(listedControls[i])
}
