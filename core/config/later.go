package config

// later are the keys that a coming release knows. To take one without doing
// what it says would be a promise broken in silence, so each is refused with
// what to do instead.
var later = map[string]string{
	"auth":                    "remove [auth], clients cannot log in yet; trust them by relay.networks",
	"console":                 "remove [console], mta status and mta queue show the same",
	"authserv_id":             "remove it, nothing writes Authentication-Results yet",
	"resolver.trust_ad":       "remove it, nothing depends on DNSSEC yet",
	"listen[].proxy_protocol": "remove it, clients are known by the address that they connect from",
	"listen[].xclient":        "remove it, clients are known by the address that they connect from",
	"route[].tenant":          "remove it, choose by to and from",
}

// laterValues are the same for single values of keys that this release has.
var laterValues = map[string]map[string]string{
	"listen[].profile": {
		"submission":  `needs AUTH; write "mx" and trust clients by relay.networks`,
		"submissions": `needs AUTH; write "mx" and trust clients by relay.networks`,
	},
	"route[].tls": {
		"dane": `write "verify" or "encrypt"`,
	},
	"plugin[].source": {
		"oci": `fetch the module and write "file:PATH.wasm" with its sha256`,
	},
}
