#!/bin/bash
# A real Active Directory domain controller to compare the fake one with: Samba 4.24 of Debian 13 backports, in a
# chroot below a cache directory, on a loopback address of its own. It is made once (about a minute) and used again.
#
#   samba.sh run COMMAND...   runs COMMAND with the variables; stops it again unless it was running before
#   samba.sh start            starts it and prints the variables
#   samba.sh stop             stops it
#   samba.sh made             tells by its exit code whether it was made
#   samba.sh wipe             stops it and removes all of it
#
# Needs: root (its ports are fixed, and so bound on an address of their own), mmdebstrap, openssl, and an apt
# configuration with a Debian archive, from which the packages come.
#
# Where it cannot run it says why and exits with 75 (EX_TEMPFAIL), so that a caller can tell that from a failure.
#
#   PASSBACK_ORACLE_DIR       where it is kept; default: passback/oracle in the user's cache directory
#   PASSBACK_ORACLE_ADDRESS   loopback address; default 127.0.0.22
#   PASSBACK_ORACLE_KDC       1: starts the Kerberos key distribution centre too, on port 88
#   PASSBACK_ORACLE_ARCHIVE   URI of a Debian archive; default: that of the machine's apt configuration
set -euo pipefail

VERSION=4.24
SUITE=trixie
REALM=oracle.test
NETBIOS=ORACLE
ADDRESS=${PASSBACK_ORACLE_ADDRESS:-127.0.0.22}
DIR=${PASSBACK_ORACLE_DIR:-${XDG_CACHE_HOME:-${HOME:-${TMPDIR:-/tmp}}/.cache}/passback/oracle}
ROOT=$DIR/root
DOMAIN=/var/lib/passback-oracle # inside of the chroot
STATE=$ROOT$DOMAIN
PASSWORD=Oracle-Administrator-1

fail() { echo "samba.sh: $*" >&2; exit 1; }
cannot() { echo "samba.sh: $*" >&2; exit 75; }

archive() {
  apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null | grep -v security | sort -u | head -1
}

# The chroot appears whole or not at all.
make_root() {
  [ -x "$ROOT/usr/sbin/samba" ] && return
  command -v mmdebstrap >/dev/null || cannot "mmdebstrap is missing: install it first (apt-get install mmdebstrap)"
  local from=${PASSBACK_ORACLE_ARCHIVE:-$(archive)}
  [ -n "$from" ] || cannot "apt knows no Debian archive: name one in PASSBACK_ORACLE_ARCHIVE"
  echo "samba.sh: making $ROOT, about a minute" >&2
  mkdir -p "$DIR"
  rm -rf "$ROOT" "$ROOT.new"
  mmdebstrap --quiet --variant=apt --mode=root --aptopt='APT::Install-Recommends "false"' \
    --setup-hook='mkdir -p "$1/etc/apt/preferences.d"; printf "Package: *\nPin: release n='$SUITE'-backports\nPin-Priority: 500\n" >"$1/etc/apt/preferences.d/backports"' \
    --include=samba-ad-dc,samba-ad-provision,python3-samba \
    "$SUITE" "$ROOT.new" "deb $from $SUITE main" "deb $from $SUITE-backports main" >&2 ||
    cannot "mmdebstrap could not fetch Debian's $SUITE from $from"
  chroot "$ROOT.new" samba --version | grep -q "^Version $VERSION\." ||
    cannot "the archive has $(chroot "$ROOT.new" samba --version), and the answers are pinned to $VERSION"
  mv "$ROOT.new" "$ROOT"
}

# Samba's own certificate has a negative serial number, which Go refuses.
make_certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=dc1.$REALM" \
    -addext "subjectAltName=DNS:dc1.$REALM,IP:$ADDRESS" -keyout "$STATE/key.pem" -out "$STATE/cert.pem" 2>/dev/null
  chmod 600 "$STATE/key.pem"
}

# Clear text is allowed, so that what is refused there can be seen. Nothing survives a crash: it need not.
write_config() {
  cat >"$STATE/smb.conf" <<CONF
[global]
  realm = $REALM
  workgroup = $NETBIOS
  netbios name = DC1
  server role = active directory domain controller
  server services = ldap${PASSBACK_ORACLE_KDC:+ kdc}
  dcerpc endpoint servers = samr, lsarpc, netlogon, drsuapi, epmapper, remote
  interfaces = $ADDRESS/8
  bind interfaces only = yes
  private dir = $DOMAIN/private
  state directory = $DOMAIN/state
  cache directory = $DOMAIN/cache
  lock directory = $DOMAIN/lock
  pid directory = $DOMAIN/run
  ncalrpc dir = $DOMAIN/ncalrpc
  binddns dir = $DOMAIN/bind-dns
  log file = $DOMAIN/log/log.%m
  ldap server require strong auth = no
  tls keyfile = $DOMAIN/key.pem
  tls certfile = $DOMAIN/cert.pem
  tls cafile = $DOMAIN/cert.pem
  ldb:nosync = true
[sysvol]
  path = $DOMAIN/state/sysvol
  read only = no
[netlogon]
  path = $DOMAIN/state/sysvol/$REALM/scripts
  read only = no
CONF
}

make_domain() {
  [ -e "$STATE/provisioned" ] && return
  rm -rf "$STATE"
  mkdir -p "$STATE"/{run,log,cache,lock,ncalrpc}
  chroot "$ROOT" samba-tool domain provision --targetdir="$DOMAIN" --realm="$REALM" --domain="$NETBIOS" --server-role=dc \
    --dns-backend=NONE --function-level=2008_R2 --host-name=dc1 --host-ip="$ADDRESS" --adminpass="$PASSWORD" >"$STATE/log/provision" 2>&1 ||
    { cat "$STATE/log/provision" >&2; fail "samba-tool could not make the domain"; }
  touch "$STATE/provisioned"
}

# What Windows, and samba with all of its services, would register by itself: tickets are for this name.
name_service() {
  [ -e "$STATE/named" ] && return
  chroot "$ROOT" samba-tool spn add "ldap/dc1.$REALM" 'DC1$' -s "$DOMAIN/smb.conf" >&2
  touch "$STATE/named"
}

running() { [ -s "$STATE/run/samba.pid" ] && kill -0 "$(cat "$STATE/run/samba.pid")" 2>/dev/null; }
listens() { (exec 3<>"/dev/tcp/$ADDRESS/$1") 2>/dev/null; }
answers() { listens 636; }

start() {
  [ "$(id -u)" = 0 ] || cannot "needs root, to make a chroot and to bind port 636"
  make_root
  make_domain
  running && answers && return
  answers && fail "something else answers at $ADDRESS: name another address in PASSBACK_ORACLE_ADDRESS"
  make_certificate
  write_config
  [ -z "${PASSBACK_ORACLE_KDC:-}" ] || name_service
  setsid chroot "$ROOT" /usr/sbin/samba --foreground --no-process-group -s "$DOMAIN/smb.conf" >"$STATE/log/stdout" 2>&1 </dev/null &
  for _ in $(seq 1 300); do
    running && answers && return
    sleep 0.1
  done
  tail -n 20 "$STATE"/log/* >&2
  fail "samba does not answer at $ADDRESS after 30 s"
}

stop() {
  running || return 0
  local pid
  pid=$(cat "$STATE/run/samba.pid")
  kill "$pid"
  for _ in $(seq 1 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid"
}

# A new domain's password policy: what ran here before may have left another.
default_policy() {
  local each=(--max-pwd-age=42) # what samba-tool takes for the default is a day longer
  for setting in complexity history-length min-pwd-length min-pwd-age account-lockout-duration account-lockout-threshold reset-account-lockout-after; do
    each+=("--$setting=default")
  done
  chroot "$ROOT" samba-tool domain passwordsettings set -s "$DOMAIN/smb.conf" --quiet "${each[@]}" >/dev/null || fail "samba-tool could not set the domain's password policy"
}

variables() {
  echo "PASSBACK_ORACLE=$ADDRESS"
  echo "PASSBACK_ORACLE_PASSWORD=$PASSWORD"
  echo "PASSBACK_ORACLE_CA=$STATE/cert.pem"
  # The same, as the agent's own tests want it.
  echo "PASSBACK_DC_URL=ldaps://$ADDRESS:636"
  echo "PASSBACK_DC_CA=$STATE/cert.pem"
  echo "PASSBACK_DC_ADMIN=CN=Administrator,CN=Users,DC=${REALM/./,DC=}"
  echo "PASSBACK_DC_PASSWORD=$PASSWORD"
  if listens 88; then echo "PASSBACK_DC_KDC=1"; fi
}

case ${1:-} in
run)
  shift
  running || trap stop EXIT
  start
  default_policy
  mapfile -t set_to < <(variables)
  env "${set_to[@]}" "$@"
  ;;
start) start; variables ;;
stop) stop ;;
made) [ -e "$STATE/provisioned" ] ;;
wipe) stop; rm -rf "$DIR" ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
