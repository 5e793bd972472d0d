# The first hour in one script: from a running `npm start` to a company whose data keys are under its own vault key.
# `bash local/walk.sh` or `zsh local/walk.sh`; DIRECTORY is the folder of environment.json, .local of this project unless told.
# It says what each call answers, and ends with 1 at the first answer that is not the awaited one.
set -eu
case "${1:-}" in
  '') ;;
  -h | --help)
    echo 'bash local/walk.sh or zsh local/walk.sh, while npm start is up; DIRECTORY=FOLDER before it if that keeps its files elsewhere.'
    exit ;;
  *)
    echo "local/walk.sh takes no options, and $1 is one too many: see bash local/walk.sh --help" >&2
    exit 2 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
# The Node that npm ci has installed, as npm run finds it: that of the machine may be older.
PATH=$root/node_modules/.bin:$PATH
export PATH
DIRECTORY=${DIRECTORY:-$root/.local}
export DIRECTORY
[ -r "$DIRECTORY/environment.json" ] || {
  echo "Nothing is up: $DIRECTORY/environment.json is not there. Run npm start in another terminal first." >&2
  exit 1
}

# fact PATH prints a value of environment.json; from EXPRESSION what it makes of `json`, which is read from standard input.
fact() { node -p "JSON.parse(fs.readFileSync(process.env.DIRECTORY + '/environment.json', 'utf8')).$1"; }
from() { node -p "const json = JSON.parse(fs.readFileSync(0, 'utf8')); $1"; }

# call METHOD PATH BODY ROLE sends one call below the company; a GET sends no body.
company=$(fact apiUrl)/companies/contoso
call() {
  authorization="Authorization: Bearer $(fact "tokens.$4")"
  if [ "$1" = GET ]; then curl -sS "$company$2" -H "$authorization"
  else curl -sS -X "$1" "$company$2" -H "$authorization" -H 'Content-Type: application/json' -d "$3"; fi
}
# sign_in LINK PERSON goes through the pages of a link, and shows their titles.
sign_in() { node "$root/scripts/ready.mjs" local/sign-in.ts "$1" --as "$2" --directory "$DIRECTORY" | grep "^[^ ]"; }

# is WHAT FOUND AWAITED
is() {
  echo "$1: $2"
  [ "$2" = "$3" ] || { echo "Awaited: $3" >&2; exit 1; }
}
tested() { call POST /connections/own/test '{}' companyAdmins.contoso | from 'json.checks.find((one) => one.failure)?.failure.code ?? json.status'; }

[ "$(call GET '' '' auditor | from "json.companyId ?? 'none'")" = none ] || {
  echo 'Contoso is there already, from an earlier walk: to walk again stop npm start and begin anew with npm start -- --fresh.' >&2
  exit 1
}
echo '# The vendor registers the company; its backend generates a data key, which is under the vendor'"'"'s key.'
call PUT '' '{ "displayName": "Contoso" }' vendorAdmin > /dev/null
GENERATED=$(call POST /keyrings/default/datakeys '{ "keys": [{ "keyId": "first" }] }' dataKeys | from 'json.keys[0].plaintext')
# unwrapped compares, and shows no key.
unwrapped() {
  found=$(call POST /keyrings/default/unwrap '{ "keyIds": ["first"] }' dataKeys | from 'json.keys[0].plaintext')
  if [ "$found" = "$GENERATED" ] && [ "$found" != undefined ]; then echo 'the same key'; else echo 'another answer'; fi
}
is 'unwrap' "$(unwrapped)" 'the same key'

echo '# The company names its vault. Each test of the connection says what is missing.'
call PUT /connections/own '{ "vaultUri": "https://contoso-keys.vault.azure.net", "keyName": "customer-key", "credential": { "kind": "federated" } }' companyAdmins.contoso > /dev/null
is 'test' "$(tested)" consent-required
LINK=$(call POST /connections/own/consent '{}' companyAdmins.contoso | from json.link)
sign_in "$LINK" contoso-user
sign_in "$LINK" contoso-global-admin
is 'test' "$(tested)" access-denied-rbac

echo '# Contoso'"'"'s Azure administrator assigns the role: a call to the stand-in, an az command on Azure.'
ROLE="{ \"principalId\": \"$(fact customers.contoso.principalId)\", \"role\": \"Key Vault Crypto Service Encryption User\", \"keyName\": \"customer-key\" }"
curl -sS -X PUT "$(fact controlUrls.keyVault)/vaults/contoso-keys.vault.azure.net/role-assignments/keyswitch" -d "$ROLE" > /dev/null
is 'test' "$(tested)" green

echo '# The vendor has found data of another tenant among Contoso'"'"'s: the switch waits for an administrator of that tenant.'
TENANT=/tenants/microsoft-365/$(fact dataTenants.europe.tenant)
call PUT "$TENANT" '{}' vendorAdmin > /dev/null
SWITCH=/keyrings/default/switches/first
state() { call GET "$SWITCH" '' companyAdmins.contoso | from "json.$1"; }
call PUT "$SWITCH" '{ "provider": "azure-key-vault", "connectionId": "own" }' companyAdmins.contoso > /dev/null
is 'switch' "$(state state)" pending-verification
LINK=$(call POST "$TENANT/verify" '{ "for": "switch", "keyringId": "default", "switchId": "first" }' companyAdmins.contoso | from json.link)
sign_in "$LINK" contoso-europe-global-admin
tries=0
until [ "$(state state)" = completed ] || [ "$tries" -ge 60 ]; do
  tries=$((tries + 1))
  sleep 1
done
is 'switch' "$(state state)" completed
is 'data keys moved' "$(state counts.done)" 1
is 'unwrap, under the key of Contoso' "$(unwrapped)" 'the same key'
is 'the record' "$(call GET /events/verify '' companyAdmins.contoso | from json.status)" intact
