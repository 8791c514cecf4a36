package writeback

// The synchronisation engine's own words for its HRESULTs, as administrators read them after message= in the events
// 33001 to 33009 (Microsoft's page "Troubleshoot self-service password reset writeback", and support articles that quote
// whole messages). Those of facility Win32 (8007....) have the operating system's texts. That of 80231367 is inferred.

var engineTexts = map[uint32]string{
	0x80230402: "An attempt to get an object failed because there are duplicated entries with the same anchor",
	0x80230405: "No password writeback targets found. Make sure that the source object exists and is connected to the target objects via MV and the target object is in scope of password sync rule",
	0x80230619: "A restriction prevents the password from being changed to the current one specified",
	0x80230626: "The password could not be updated because the management agent credentials were denied access",
	0x8023062C: "The server is not configured for insecure setting of passwords, or a 128 bit TLS or SSL connection is required",
	0x80230818: "The management agent run was terminated because a domain controller could not be contacted",
	0x80231367: "Requesting user was denied access to perform the operation on a privileged account",

	0x80070056: "The specified network password is not correct",
	0x80070533: "This user can't sign in because this account is currently disabled",
	0x80070775: "The referenced account is currently locked out and may not be logged on to",
}
