package config

// rule is one thing that can be wrong. Its sentence has two halves: what is
// wrong; what would be right.
type rule uint8

const (
	ruleSyntax rule = iota
	ruleTooBig
	ruleTooDeep
	ruleTwice
	ruleUnknown
	ruleUnknownNear
	ruleElsewhere
	ruleLater
	ruleLaterValue
	ruleMissing
	ruleType
	ruleOneTable
	ruleManyTables
	ruleSize
	ruleSizeUnit
	ruleDuration
	ruleDurationNumber
	ruleAddress
	ruleAddressName
	ruleAddressPort
	ruleSmall
	ruleLarge
	ruleWord
	ruleEmpty
	ruleControl
	ruleDate
	ruleNumber
	ruleHostname
	ruleMachine
	ruleAuthserv
	ruleAbsolute
	ruleSpoolRoot
	ruleNoListener
	ruleListenTwice
	ruleLMTPPort
	rulePortZero
	ruleServerTwice
	ruleDomain
	ruleAnyDomain
	ruleDomainAddress
	rulePrefix
	rulePrefixBits
	ruleMapped
	ruleOpenRelay
	ruleWide
	rulePerIP
	ruleMinFree
	ruleBodySegment
	ruleDataTotal
	ruleRouteTo
	ruleRouteFrom
	ruleRouteVia
	ruleRouteOff
	ruleRouteShadow
	ruleRouteHooks
	ruleRouteHosts
	ruleHost
	ruleHostUnix
	ruleRouteAuth
	ruleRouteAuthVia
	ruleRouteSelf
	ruleRouteNever
	ruleRetryEmpty
	ruleLifetime
	ruleWarning
	rulePluginName
	rulePluginReserved
	rulePluginTwice
	ruleSource
	ruleBuiltin
	ruleHook
	ruleHookTwice
	ruleOnError
	ruleOnErrorQueue
	ruleOnErrorHook
	ruleOnErrorUnused
	ruleOnErrorReports
	ruleAllowRelay
	ruleSocketLong
	ruleFileMissing
	ruleFileUnreadable
	ruleFileOpen
	ruleNoCertificate
	ruleNoKey
	rulePairMismatch
	ruleExpired
	ruleNotYet
	ruleNoRoots
	rulePasswordEmpty

	rules // how many there are
)

var sentences = [rules]string{
	ruleSyntax:         "not TOML: %s; mta config prints a file that is right",
	ruleTooBig:         "larger than %s; a configuration is a few KiB",
	ruleTooDeep:        "tables or keys go too deep, or a key is too long; keep to the keys that mta config prints",
	ruleTwice:          "set already in line %d; keep one of them",
	ruleUnknown:        "no such key; here may stand %s",
	ruleUnknownNear:    "no such key; did you mean %s?",
	ruleElsewhere:      "no such key here; it belongs into %s",
	ruleLater:          "not in this release; %s",
	ruleLaterValue:     "%q is not in this release; %s",
	ruleMissing:        "missing; write %s",
	ruleType:           "is %s; must be %s",
	ruleOneTable:       "is one table of many; write [[%s]]",
	ruleManyTables:     "stands only once; write [%s]",
	ruleSize:           "%s is no size; write a number of octets with B, KiB, MiB, GiB or TiB, as in \"25MiB\"",
	ruleSizeUnit:       "%s has a unit of powers of ten; write %s",
	ruleDuration:       "%s is no duration; write whole numbers with ms, s, m, h, d or w, as in \"30s\", \"1h30m\" or \"5d\"",
	ruleDurationNumber: "a duration without a unit; write \"%ds\" for seconds, or \"5m\", \"2h\", \"5d\"",
	ruleAddress:        "%s is no address:port; write as in \"127.0.0.1:25\" or \"[::1]:25\"",
	ruleAddressName:    "%s has no IP address in it; write one, as in %s",
	ruleAddressPort:    "%s has no port; write %s",
	ruleSmall:          "%s is too small; at least %s",
	ruleLarge:          "%s is too large; at most %s",
	ruleWord:           "%s is not known; write %s",
	ruleEmpty:          "empty; write %s or remove the key",
	ruleControl:        "has a control character in it; remove it",
	ruleDate:           "a date has no form in JSON, in which the plugin gets this; write it as a string",
	ruleNumber:         "infinity and NaN have no form in JSON, in which the plugin gets this; write a finite number",
	ruleHostname:       "%s is no host name; write a full name of letters, digits and hyphens, as in \"mx.example.org\"",
	ruleMachine:        "the machine's name %s is not a full domain name, which other servers want to see (RFC 5321 §2.3.5); set hostname, as in \"mx.example.org\"",
	ruleAuthserv:       "%s is no authserv-id (RFC 8601 §2.5); write a name like a host name, as in \"mx.example.org\"",
	ruleAbsolute:       "%s is not an absolute path; write it from \"/\" on",
	ruleSpoolRoot:      "the spool cannot be the root of the disk; give it a folder of its own, as in \"/var/spool/mta\"",
	ruleNoListener:     "there is no [[listen]], so no mail would ever arrive; add one with address = \"0.0.0.0:25\"",
	ruleListenTwice:    "%s is taken by %s already; give each its own address or port",
	ruleLMTPPort:       "LMTP must not be spoken at port 25 (RFC 2033 §5); write another port, as in 24",
	rulePortZero:       "port 0 is no name server; write the port, most likely 53",
	ruleServerTwice:    "%s is listed already; remove one",
	ruleDomain:         "%s is no domain; write \"example.org\", or \".example.org\" for all names below it",
	ruleAnyDomain:      "%s would accept mail for every domain from everybody: an open relay; list the domains that are yours",
	ruleDomainAddress:  "%s is an address, not a domain; write the part after the \"@\"",
	rulePrefix:         "%s is no network; write as in \"192.0.2.0/24\", \"2001:db8::/32\" or a single address",
	rulePrefixBits:     "%s has bits behind its length; write %s",
	ruleMapped:         "%s is IPv4 in the clothes of IPv6; write the network in the form of IPv4",
	ruleOpenRelay:      "%s would let the whole Internet send through this server: an open relay; list the networks that are yours",
	ruleWide:           "%s is a large part of the Internet and nobody's own network; list the networks that are yours",
	rulePerIP:          "%d is more than limits.sessions, which is %d; make it smaller, or limits.sessions larger",
	ruleMinFree:        "%s is larger than limits.min_free, which is %s, so one message could fill the disk; make it smaller, or limits.min_free larger",
	ruleBodySegment:    "%s is larger than limits.log_segment, which is %s, and a message in the log must fit into one segment; make it smaller",
	ruleDataTotal:      "%s is less than limits.data_timeout, which is %s; make it larger",
	ruleRouteTo:        "%s is no recipient; write \"example.org\", \".example.org\" or \"*.example.org\" for all names below it, \"user@example.org\", or \"*\"",
	ruleRouteFrom:      "%s is no sender; write \"example.org\", \".example.org\" or \"*.example.org\" for all names below it, \"user@example.org\", \"*\", or \"<>\"",
	ruleRouteVia:       "%s is no transport; write smtp, lmtp, discard or the name of a [[plugin]]%s",
	ruleRouteOff:       "the plugin %s is off; set its mode to \"active\", or choose another transport",
	ruleRouteShadow:    "the plugin %s is in shadow and may not deliver; set its mode to \"active\", or choose another transport",
	ruleRouteHooks:     "the plugin %s is not asked for deliver; add \"deliver\" to its hooks",
	ruleRouteHosts:     "missing, and %s needs to know where to connect; write hosts = [\"host:port\"], or remove the route to use the domain's MX",
	ruleHost:           "%s is no next hop; write as in \"relay.example.org\", \"relay.example.org:25\", \"192.0.2.1:25\" or \"[2001:db8::1]:25\"",
	ruleHostUnix:       "a unix socket is only for lmtp; write via = \"lmtp\", or a host",
	ruleRouteAuth:      "tls is %q, so the password could be sent in the clear; write tls = \"encrypt\" or \"verify\"",
	ruleRouteAuthVia:   "a plugin delivers, and it logs in by its own configuration; remove auth",
	ruleRouteSelf:      "%s is this server itself (%s), so mail would go round in a loop; write another next hop",
	ruleRouteNever:     "never reached, because %s matches all of it; put this route before that one",
	ruleRetryEmpty:     "no time at all; write at least one, as in [\"5m\", \"1h\"]",
	ruleLifetime:       "%s is over before the first retry, which comes after %s; make it longer",
	ruleWarning:        "%s is not before the end of delivery.lifetime, which is %s, so it would never be sent; make it shorter, or \"0s\" for never",
	rulePluginName:     "%s cannot be a name; write lower-case letters, digits and hyphens, beginning with a letter, at most 64",
	rulePluginReserved: "%s is a transport of the relay; choose another name",
	rulePluginTwice:    "%s is also the name of %s; give each its own name",
	ruleSource:         "%s is no source; write \"builtin:NAME\"",
	ruleBuiltin:        "there is no compiled-in plugin %s; %s",
	ruleHook:           "%s is no hook; %s",
	ruleHookTwice:      "%s is listed already; remove one",
	ruleOnError:        "%s is no on_error of %s; write %s",
	ruleOnErrorQueue:   "%s would let a broken plugin bounce or delete accepted mail; %s can only defer or hold",
	ruleOnErrorHook:    "no such hook; %s",
	ruleOnErrorUnused:  "this hook is not among the plugin's hooks; add it there, or remove it here",
	ruleOnErrorReports: "this hook decides nothing, so its failure changes nothing; remove it",
	ruleAllowRelay:     "relaying is granted at rcpt, which is not among the plugin's hooks; add \"rcpt\" there, or remove it here",
	ruleSocketLong:     "a path of %d octets is too long for a unix socket; use at most 107",
	ruleFileMissing:    "%s does not exist; make it, or write the right path",
	ruleFileUnreadable: "%s cannot be read (%s); make it a file that the relay may read",
	ruleFileOpen:       "%s can be read by every user of this machine; run chmod o-rwx on it",
	ruleNoCertificate:  "%s has no certificate in PEM form; write the path of one that begins with -----BEGIN CERTIFICATE-----",
	ruleNoKey:          "%s has no private key in PEM form that is not encrypted; write the path of one",
	rulePairMismatch:   "the key %s does not belong to the certificate %s; use the pair that was made together",
	ruleExpired:        "the certificate %s has expired on %s; renew it",
	ruleNotYet:         "the certificate %s is not valid before %s; check the clock, or use an older certificate",
	ruleNoRoots:        "%s has no certificate of an authority in PEM form; remove the key to use those of the system",
	rulePasswordEmpty:  "the password file is empty; write the password on its first line",
}
