package fakead

import "passback/fakead/tree"

// Extended rights and validated writes (MS-ADTS 5.1.3.2.1 and 5.1.3.2.2), by the names of their objects in
// CN=Extended-Rights: their rightsGuid is what ACEs name them by.
const (
	rightResetPassword  = "User-Force-Change-Password"
	rightChangePassword = "User-Change-Password"
	rightUnexpire       = "Unexpire-Password"
	rightManageTopology = "DS-Replication-Manage-Topology"
	writeSelfMembership = "Self-Membership"
)

var extendedRights = map[string]string{
	"Apply-Group-Policy":                            "edacfd8f-ffb3-11d1-b41d-00a0c968f939",
	"Change-Schema-Master":                          "e12b56b6-0a95-11d1-adbb-00c04fd8d5cd",
	"Create-Inbound-Forest-Trust":                   "e2a36dc9-ae17-47c3-b58b-be34c55ba633",
	"DS-Query-Self-Quota":                           "4ecc03fe-ffc0-4947-b630-eb672a8a9dbc",
	"DS-Replication-Get-Changes":                    "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2",
	"DS-Replication-Get-Changes-All":                "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2",
	"DS-Replication-Get-Changes-In-Filtered-Set":    "89e95b76-444d-4c62-991a-0facbeda640c",
	"DS-Replication-Manage-Topology":                "1131f6ac-9c07-11d1-f79f-00c04fc2dcd2",
	"DS-Replication-Synchronize":                    "1131f6ab-9c07-11d1-f79f-00c04fc2dcd2",
	"Email-Information":                             "e45795b2-9455-11d1-aebd-0000f80367c1",
	"Enable-Per-User-Reversibly-Encrypted-Password": "05c74c5e-4deb-43b4-bd9f-86664c2a7fd5",
	"Read-Only-Replication-Secret-Synchronization":  "1131f6ae-9c07-11d1-f79f-00c04fc2dcd2",
	"Receive-As":                                    "ab721a56-1e2f-11d0-9819-00aa0040529b",
	"Self-Membership":                               "bf9679c0-0de6-11d0-a285-00aa003049e2",
	"Send-As":                                       "ab721a54-1e2f-11d0-9819-00aa0040529b",
	"Send-To":                                       "ab721a55-1e2f-11d0-9819-00aa0040529b",
	"Unexpire-Password":                             "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501",
	"Update-Password-Not-Required-Bit":              "280f369c-67c7-438e-ae98-1d46f3c6f541",
	"User-Change-Password":                          "ab721a53-1e2f-11d0-9819-00aa0040529b",
	"User-Force-Change-Password":                    "00299570-246d-11d0-a768-00aa006e0529",
	"Validated-SPN":                                 "f3a64788-5306-11d1-a9c5-0000f80367c1",
	"printQueue":                                    "bf967aa8-0de6-11d0-a285-00aa003049e2", // a class that the schema lacks and ACEs name
}

// rightGUID is the rightsGuid of an extended right.
func rightGUID(name string) tree.GUID {
	g, err := tree.ParseGUID(extendedRights[name])
	if err != nil {
		panic("no extended right " + name) // a mistake in this program
	}
	return g
}
