#!/usr/bin/env bash
# run.sh PASSBACK CLIENT: starts a relay and lets stock clients at it: js (npm), python (Debian's packages), proton, and others' own
# conformance tests: gocloud (the Go CDK's, from the module cache) or dapr.
# Exit code 75, with the reason on the last line, where the client cannot be had. What it needs is put into a folder of its own.
set -euo pipefail
passback=$(realpath "$1") client=$2
cd "$(dirname "$0")"

cannot() { echo "$*"; exit 75; }

work=$(mktemp -d)
relay=
stop() { [ -z "$relay" ] || { kill "$relay" && wait "$relay" || true; }; rm -rf "$work"; }
trap stop EXIT

# debian MODULE PACKAGE...: what is not installed is unpacked, and the one module of python3-azure is all that is taken of it.
debian() {
	local module=$1
	shift
	/usr/bin/python3 -c "import $module" 2>/dev/null && return
	command -v apt-get >/dev/null && [ -x /usr/bin/python3 ] || cannot "there is no /usr/bin/python3, or no apt-get to get $* with"
	(cd "$work" && apt-get download -qq "$@" >/dev/null 2>&1) || cannot "the packages $* could not be downloaded"
	for package in "$work"/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work" --exclude='*/azure/mgmt/*' --exclude='./usr/share/*'; done
	export PYTHONPATH=$work/usr/lib/python3/dist-packages LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu)
	/usr/bin/python3 -c "import $module" || cannot "the packages $* were unpacked, but $module cannot be imported"
}

case $client in
js)
	command -v npm >/dev/null || cannot "there is no npm"
	cp js/package*.json js/.npmrc js/*.mjs "$work"
	(cd "$work" && npm ci --no-progress >npm.log 2>&1) || { tail -n 20 "$work/npm.log"; cannot "npm could not install the packages"; }
	;;
python)
	debian azure.servicebus python3-azure python3-uamqp python3-msrest python3-requests python3-urllib3 python3-certifi python3-idna \
		python3-chardet python3-charset-normalizer python3-isodate python3-six python3-typing-extensions python3-oauthlib python3-requests-oauthlib
	;;
proton) debian proton python3-qpid-proton libqpid-proton11 ;;
gocloud)
	gocloud=$(cd / && go mod download -json gocloud.dev@v0.49.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/pubsub/azuresb
	(cd "$gocloud" && GOFLAGS= go test -c -o "$work/azuresb.test" .) || cannot "gocloud.dev could not be downloaded or built"
	;;
dapr) (cd dapr && go test -c -tags conftests -o "$work/dapr.test" .) || cannot "dapr's components could not be downloaded or built" ;;
*) echo "usage: run.sh PASSBACK js|python|proton|gocloud|dapr"; exit 2 ;;
esac

# uamqp connects to port 5671 only: an address of one's own keeps it free of other relays.
address=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).1
"$passback" relay --listen "$address" --amqp-port 0 --amqps-port 5671 --https-port 0 --ready-file "$work/ready.json" >"$work/relay.log" 2>&1 &
relay=$!
"$passback" wait --ready-file "$work/ready.json" || { cat "$work/relay.log"; exit 1; }
export PASSBACK_READY_FILE=$work/ready.json
ready() { sed -n "s/^ *\"$1\": \"\(.*\)\",\$/\1/p" "$work/ready.json"; }
ca=$(ready ca_file) connection=$(ready amqps)

case $client in
js) (cd "$work" && NODE_EXTRA_CA_CERTS=$ca npm test) ;;
python) (cd python && REQUESTS_CA_BUNDLE=$ca /usr/bin/python3 -B -m unittest -v test_servicebus) ;;
proton) (cd python && /usr/bin/python3 -B -m unittest -v test_proton) ;;
gocloud) # live: it records nothing
	(cd "$gocloud" && SSL_CERT_FILE=$ca SERVICEBUS_CONNECTION_STRING=$connection "$work/azuresb.test" -test.v -test.timeout 3m -record)
	;;
dapr) (cd "$work" && SSL_CERT_FILE=$ca SERVICEBUS_CONNECTION_STRING=$connection ./dapr.test -test.v -test.timeout 3m) ;;
esac
