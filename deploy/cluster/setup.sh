#!/bin/sh
# Makes what the cluster of docker-compose.yml needs before it starts: a certification authority, a certificate for each
# node of KurrentDB, and the key that the nodes of chatwatch share. What is there already stays, but a certificate that
# ends within 30 days is made anew. Every folder below DIR is a volume of its own there, so that a container sees
# nothing of another's:
#
#   ca              the key of the authority; for this script alone
#   kurrentdb-N     node.crt, node.key and ca/ca.crt of a node
#   chatwatch       ca.crt and secret.key
#
# Usage: setup.sh DIR
set -eu
umask 077
dir=${1:?usage: setup.sh DIR}
nodes="kurrentdb-1 kurrentdb-2 kurrentdb-3"
chatwatch_user=65532       # of the image of chatwatch
common_name=kurrentdb-node # by which nodes know each other: all have the same
renew_before=2592000       # 30 days, in seconds
ca_days=3650
node_days=825

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly runs openssl and shows what it said when it fails.
quietly() { openssl "$@" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }; }

# settings keeps the settings of a certificate, from standard input.
settings() {
  printf '[req]\ndistinguished_name = name\nprompt = no\n' >"$work/settings"
  cat >>"$work/settings"
}

# put FROM TO MODE [USER]: the file appears under its name when it is whole.
put() {
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  if [ $# -gt 3 ]; then chown "$4" "$2.new"; fi
  mv -f "$2.new" "$2"
}

lasts() { [ -s "$1" ] && openssl x509 -in "$1" -noout -checkend "$renew_before" >/dev/null; }

authority() {
  mkdir -p "$dir/ca"
  if lasts "$dir/ca/ca.crt"; then return; fi
  settings <<END
[name]
CN = chatwatch cluster CA
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
  quietly req -x509 -new -newkey rsa:3072 -noenc -sha256 -days "$ca_days" -config "$work/settings" -extensions extensions \
    -keyout "$work/ca.key" -out "$work/ca.crt"
  # First without a certificate, then the key: after an interruption everything is made again.
  rm -f "$dir/ca/ca.crt"
  put "$work/ca.key" "$dir/ca/ca.key" 400
  put "$work/ca.crt" "$dir/ca/ca.crt" 444
  echo "made the certification authority"
}

node() {
  folder=$dir/$1
  mkdir -p "$folder/ca"
  chmod 755 "$folder/ca"
  put "$dir/ca/ca.crt" "$folder/ca/ca.crt" 444
  if lasts "$folder/node.crt" && openssl verify -CAfile "$dir/ca/ca.crt" "$folder/node.crt" >/dev/null 2>&1; then return; fi
  settings <<END
[name]
CN = $common_name
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:$1, DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
  quietly req -new -newkey rsa:2048 -noenc -sha256 -config "$work/settings" -keyout "$work/node.key" -out "$work/node.csr"
  quietly x509 -req -in "$work/node.csr" -CA "$dir/ca/ca.crt" -CAkey "$dir/ca/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -sha256 -days "$node_days" -extfile "$work/settings" -extensions extensions -out "$work/node.crt"
  rm -f "$folder/node.crt"
  # Readable by all: which user the server runs as is its image's business, and only its container sees the volume.
  put "$work/node.key" "$folder/node.key" 444
  put "$work/node.crt" "$folder/node.crt" 444
  echo "made the certificate of $1"
}

shared() {
  mkdir -p "$dir/chatwatch"
  put "$dir/ca/ca.crt" "$dir/chatwatch/ca.crt" 444
  if [ -s "$dir/chatwatch/secret.key" ]; then return; fi
  openssl rand -base64 32 >"$work/secret.key"
  put "$work/secret.key" "$dir/chatwatch/secret.key" 400 "$chatwatch_user"
  echo "made the key of chatwatch"
}

authority
for n in $nodes; do node "$n"; done
shared
