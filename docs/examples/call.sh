#!/usr/bin/env bash
# One signed call with curl and openssl: call.sh HOST:PORT ACTION JSON
# The key comes from SECRET_ID and SECRET_KEY. An example for reading: openssl
# gets the key as an argument, which other users of the machine can see, so use
# "dogwatch call" for work.
set -euo pipefail

host=$1 action=$2 body=${3:-'{}'}
now=$(date +%s)
day=$(date -u -d "@$now" +%F)
scope=$day/tcss/tc3_request

digest() { openssl dgst -sha256 -r | cut -d' ' -f1; }
hmac() { openssl dgst -sha256 -mac HMAC -macopt "$1" -r | cut -d' ' -f1; }

request=$(printf 'POST\n/\n\ncontent-type:application/json\nhost:%s\n\ncontent-type;host\n%s' \
  "$host" "$(printf %s "$body" | digest)" | digest)
key=$(printf %s "$day" | hmac "key:TC3$SECRET_KEY")
key=$(printf %s tcss | hmac "hexkey:$key")
key=$(printf %s tc3_request | hmac "hexkey:$key")
signature=$(printf 'TC3-HMAC-SHA256\n%s\n%s\n%s' "$now" "$scope" "$request" | hmac "hexkey:$key")

curl --silent --show-error "${SCHEME:-http}://$host/" \
  --header 'Content-Type: application/json' \
  --header "X-TC-Action: $action" --header 'X-TC-Version: 2020-11-01' --header "X-TC-Timestamp: $now" \
  --header "Authorization: TC3-HMAC-SHA256 Credential=$SECRET_ID/$scope, SignedHeaders=content-type;host, Signature=$signature" \
  --data-raw "$body"
echo
