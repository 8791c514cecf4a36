#!/bin/bash
# What is tried of the agent on a real domain controller: its directory side (TLS, StartTLS, Kerberos, sites, every
# kind of answer), and the scenarios. To be run by fakead/oracle/samba.sh, which says where the controller is.
#
#   PASSBACK_ORACLE_LABELS    the scenarios; default: all of policy, feedback and at-most-once
set -euo pipefail
cd "$(dirname "$0")/../.."
go=${GO:-go}
"$go" test ./writeback/directory -count=1
"$go" test ./writeback -count=1 -run TestOnARealDomainController
"$go" test ./scenarios/oracle -count=1 -timeout 30m -v
