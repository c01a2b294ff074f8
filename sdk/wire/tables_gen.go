// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

package wire

// Tables are the fields of each record, in the order of their slots.
var Tables = [Records]RecordInfo{
	{"Session", []FieldInfo{
		{"id", "string", -1, "unique in the life of the spool; joins log lines of one connection"},
		{"profile", "string", -1, "of the listener: mx, submission, submissions, lmtp"},
		{"local_addr", "string", -1, "address:port that the client connected to"},
		{"remote_ip", "string", -1, "the client's address, without port and brackets"},
		{"remote_port", "integer", -1, "the client's port"},
		{"remote_name", "string", -1, "the client's name, confirmed in both directions; empty: unknown"},
		{"helo", "string", -1, "the name given in HELO/EHLO/LHLO; empty: not yet"},
		{"protocol", "string", -1, "RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ..."},
		{"tls", "string", -1, "version and cipher suite; empty: in the clear"},
		{"login", "string", -1, "the authenticated identity; empty: none"},
		{"started", "time", -1, "when the connection was accepted"},
		{"notes", "notes", -1, "what plugins left on the session"},
	}},
	{"Recipient", []FieldInfo{
		{"addr", "string", -1, "where the message goes"},
		{"orig", "string", -1, "as the client gave it, when a plugin changed it; else empty"},
		{"notify", "Notify", -1, "RFC 3461 NOTIFY"},
		{"orcpt", "string", -1, "RFC 3461 ORCPT, decoded: \"rfc822;user@example.org\"; empty: none"},
	}},
	{"Envelope", []FieldInfo{
		{"id", "string", -1, "the queue ID, from MAIL to the last log line"},
		{"from", "string", -1, "the reverse-path; empty is the null reverse-path"},
		{"recipients", "list of Recipient", recordRecipient, "in the order in which they were accepted"},
		{"size", "integer", -1, "octets of the message; 0 before it was received"},
		{"body", "string", -1, "BODY= of RFC 6152/3030: \"\", 7BIT, 8BITMIME, BINARYMIME"},
		{"smtputf8", "yes/no", -1, "RFC 6531"},
		{"require_tls", "yes/no", -1, "RFC 8689"},
		{"ret", "string", -1, "RFC 3461 RET: \"\", FULL, HDRS"},
		{"env_id", "string", -1, "RFC 3461 ENVID, decoded"},
		{"arrived", "time", -1, "when the transaction began"},
		{"origin", "Origin", recordOrigin, "how it came to us"},
		{"notes", "notes", -1, "what plugins left on the message"},
	}},
	{"Origin", []FieldInfo{
		{"ip", "string", -1, "the client's address; empty: made by the relay itself"},
		{"name", "string", -1, "its confirmed name"},
		{"helo", "string", -1, "its HELO name"},
		{"protocol", "string", -1, "RFC 3848"},
		{"login", "string", -1, "the authenticated identity"},
		{"profile", "string", -1, "of the listener"},
	}},
	{"Message", []FieldInfo{
		{"id", "string", -1, "the queue ID"},
		{"size", "integer", -1, "octets, with the trace fields that the relay has added"},
	}},
	{"Reply", []FieldInfo{
		{"code", "integer", -1, "4yz or 5yz in an answer; 0: the core's choice"},
		{"enhanced", "string", -1, "RFC 3463, \"5.7.1\"; empty: the core's choice"},
		{"text", "string", -1, "one line, or up to ten with \"\\n\" between them, of 400 octets each; empty: the core's choice"},
	}},
	{"Answer", []FieldInfo{
		{"action", "Action", -1, ""},
		{"reply", "Reply", recordReply, ""},
		{"reason", "string", -1, "Reason is for log and trace only; no client ever sees it."},
		{"edits", "list of Edit", recordEdit, "Edits are applied in order, all or none. With Defer, Reject and Disconnect only the notes among them are: nothing is left to be edited."},
		{"identity", "string", -1, "Identity is who the client is; auth hook only, with Accept, where it must not be empty."},
		{"recipients", "list of Verdict", recordVerdict, "Recipients are verdicts on single recipients, in the order of the envelope; data hook only, and either empty or one for each. A recipient that is not Continue or Accept is removed: on LMTP it gets its own reply, on SMTP a DSN."},
	}},
	{"Verdict", []FieldInfo{
		{"action", "Action", -1, "Continue, Accept, Defer, Reject, Discard"},
		{"reply", "Reply", recordReply, ""},
		{"reason", "string", -1, ""},
	}},
	{"Edit", []FieldInfo{
		{"op", "Op", -1, ""},
		{"name", "string", -1, ""},
		{"value", "string", -1, ""},
		{"index", "integer", -1, ""},
		{"data", "bytes", -1, ""},
	}},
	{"RouteAnswer", []FieldInfo{
		{"action", "RouteAction", -1, ""},
		{"route", "Route", recordRoute, "for RouteUse"},
		{"reply", "Reply", recordReply, "for RouteDefer and RouteFail"},
		{"reason", "string", -1, "for log and trace"},
		{"not_before", "time", -1, "NotBefore: with RouteDefer, the earliest time of the next attempt; zero: the usual retry time."},
	}},
	{"Route", []FieldInfo{
		{"via", "string", -1, "Via names the transport: \"smtp\", \"lmtp\", or a plugin with a deliver hook."},
		{"hosts", "list of string", -1, "Hosts are the next hops in the order in which to try them: \"host\", \"host:port\", \"192.0.2.1:25\", \"[2001:db8::1]:25\"; for LMTP also \"unix:/path\". The port defaults to 25, for LMTP to 24."},
		{"mx", "yes/no", -1, "MX: the DNS named the hosts, so loopback and other addresses that no stranger may choose for us are not connected to."},
		{"tls", "string", -1, "TLS is the policy towards the next hop: none, may, encrypt, verify, dane. Empty is may."},
		{"source", "string", -1, "Source and Pool choose where the connection comes from; empty: the system."},
		{"pool", "string", -1, ""},
		{"key", "string", -1, "Key names what shares concurrency, back-off and connections. Empty: made from Via, Hosts, TLS, Source, Pool and User."},
		{"user", "string", -1, "User and PasswordFile log in at the next hop. Only a plugin that is compiled into the relay may name a file."},
		{"password_file", "string", -1, ""},
		{"rule", "string", -1, "Rule says what chose the route, for people: \"route 2: to *.example\"."},
	}},
	{"Outcome", []FieldInfo{
		{"status", "Status", -1, ""},
		{"reply", "Reply", recordReply, "of the next hop, or the words of whoever decided"},
		{"remote", "string", -1, "who answered: \"mx1.example.org[192.0.2.1]:25\"; empty: nobody did"},
		{"tls", "string", -1, "version and cipher suite of the conversation; empty: clear"},
		{"remote_reply", "yes/no", -1, "RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may show it as Diagnostic-Code (RFC 3464 §2.3.6)."},
		{"dsn_relayed", "yes/no", -1, "DSNRelayed: the next hop took over the RFC 3461 parameters, so success is reported by it and not by us."},
		{"maybe_duplicate", "yes/no", -1, "MaybeDuplicate: the connection was lost between the end of the message and the reply; the next hop may have it nevertheless (RFC 1047)."},
		{"unreachable", "yes/no", -1, "Unreachable: no conversation about this message was begun: no connection, no greeting, no EHLO. The whole destination is slow or down."},
		{"setup", "duration", -1, "Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the message."},
		{"transfer", "duration", -1, ""},
		{"hold", "yes/no", -1, "Hold: with StatusDeferred, keep until an operator releases it."},
	}},
	{"DeliverAnswer", []FieldInfo{
		{"outcomes", "list of Outcome", recordOutcome, ""},
	}},
	{"OutcomeAnswer", []FieldInfo{
		{"status", "Status", -1, "Status: StatusDeferred or StatusFailed instead of the other; StatusNone keeps it. A delivered recipient stays delivered."},
		{"delay", "duration", -1, "Delay: for a deferred recipient, the time until the next attempt."},
		{"reply", "Reply", recordReply, "shown to people instead of the original; zero keeps it"},
		{"reason", "string", -1, ""},
		{"hold", "yes/no", -1, "Hold: keep a recipient that was not delivered until an operator releases it."},
	}},
	{"BounceAnswer", []FieldInfo{
		{"suppress", "yes/no", -1, "Suppress: send no DSN. It is recorded with the plugin's name."},
		{"reason", "string", -1, ""},
		{"edits", "list of Edit", recordEdit, "OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote"},
		{"defer", "yes/no", -1, "Defer: not now. The recipients stay in the queue as deferred, and the hook is asked again after their next attempt."},
		{"hold", "yes/no", -1, "Hold: no DSN now, and the recipients stay until an operator releases them."},
	}},
	{"ConnectEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
	}},
	{"HeloEvent", []FieldInfo{
		{"session", "Session", recordSession, "Session.Helo already holds the name"},
		{"extended", "yes/no", -1, "EHLO or LHLO"},
	}},
	{"AuthEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
		{"mechanism", "string", -1, "PLAIN, LOGIN, ..."},
		{"username", "string", -1, ""},
		{"password", "string", -1, "empty for mechanisms that do not reveal it"},
		{"authz_id", "string", -1, ""},
	}},
	{"MailEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
		{"envelope", "Envelope", recordEnvelope, ""},
	}},
	{"RcptEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
		{"envelope", "Envelope", recordEnvelope, ""},
		{"recipient", "Recipient", recordRecipient, ""},
	}},
	{"PredataEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
		{"envelope", "Envelope", recordEnvelope, ""},
	}},
	{"DataEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
		{"envelope", "Envelope", recordEnvelope, ""},
		{"message", "Message", recordMessage, ""},
	}},
	{"RouteEvent", []FieldInfo{
		{"envelope", "Envelope", recordEnvelope, ""},
		{"recipient", "Recipient", recordRecipient, ""},
		{"attempt", "integer", -1, "1 for the first"},
		{"last", "Outcome", recordOutcome, "of the attempt before; zero at the first"},
	}},
	{"DeliverEvent", []FieldInfo{
		{"envelope", "Envelope", recordEnvelope, ""},
		{"message", "Message", recordMessage, ""},
		{"recipients", "list of Recipient", recordRecipient, ""},
		{"route", "Route", recordRoute, ""},
		{"attempt", "integer", -1, ""},
	}},
	{"OutcomeEvent", []FieldInfo{
		{"envelope", "Envelope", recordEnvelope, ""},
		{"recipient", "Recipient", recordRecipient, ""},
		{"route", "Route", recordRoute, ""},
		{"attempt", "integer", -1, ""},
		{"outcome", "Outcome", recordOutcome, ""},
		{"next", "time", -1, "when a deferred recipient is tried again"},
	}},
	{"BounceEvent", []FieldInfo{
		{"envelope", "Envelope", recordEnvelope, "the message it is about"},
		{"kind", "DSNKind", -1, ""},
		{"recipients", "list of Recipient", recordRecipient, "those it tells about"},
		{"outcomes", "list of Outcome", recordOutcome, "the last of each"},
		{"message", "Message", recordMessage, "the DSN itself"},
		{"to", "string", -1, "where it goes: the reverse-path of Envelope"},
	}},
	{"DisconnectEvent", []FieldInfo{
		{"session", "Session", recordSession, ""},
		{"messages", "integer", -1, "accepted in this session"},
		{"reason", "string", -1, "quit, lost, timeout, error, shutdown, ..."},
	}},
	{"HTTPRequest", []FieldInfo{
		{"method", "string", -1, "empty: GET"},
		{"url", "string", -1, "http or https"},
		{"header", "list of HTTPField", recordHTTPField, ""},
		{"body", "bytes", -1, "at most 1 MiB"},
	}},
	{"HTTPResponse", []FieldInfo{
		{"status", "integer", -1, ""},
		{"header", "list of HTTPField", recordHTTPField, ""},
		{"body", "bytes", -1, "at most 1 MiB; more is an error"},
	}},
	{"HTTPField", []FieldInfo{
		{"name", "string", -1, ""},
		{"value", "string", -1, ""},
	}},
	{"MX", []FieldInfo{
		{"hosts", "list of string", -1, "Hosts are the exchangers in the order in which to try them. Empty means that there is none: see the other fields for the reason."},
		{"null", "yes/no", -1, "Null: the domain says that it takes no mail (RFC 7505)."},
		{"implicit", "yes/no", -1, "Implicit: there is no MX record, and Hosts is the domain itself."},
		{"loops", "yes/no", -1, "Loops: this relay is itself the best exchanger, so nothing is left."},
		{"no_domain", "yes/no", -1, "NoDomain: the name does not exist, or exists without any address."},
	}},
	{"LogCall", []FieldInfo{
		{"level", "integer", -1, "-4 debug, 0 info, 4 warning, 8 error"},
		{"text", "string", -1, "at most 1 KiB is kept"},
	}},
	{"LogResult", []FieldInfo{}},
	{"NowCall", []FieldInfo{}},
	{"NowResult", []FieldInfo{
		{"time", "time", -1, ""},
	}},
	{"RandomCall", []FieldInfo{
		{"size", "integer", -1, "at most 4096"},
	}},
	{"RandomResult", []FieldInfo{
		{"data", "bytes", -1, ""},
	}},
	{"MetricCall", []FieldInfo{
		{"name", "string", -1, ""},
		{"gauge", "yes/no", -1, "set to Value; else add Value"},
		{"value", "number", -1, ""},
	}},
	{"MetricResult", []FieldInfo{}},
	{"KVGetCall", []FieldInfo{
		{"key", "string", -1, ""},
	}},
	{"KVGetResult", []FieldInfo{
		{"found", "yes/no", -1, ""},
		{"value", "bytes", -1, ""},
	}},
	{"KVSetCall", []FieldInfo{
		{"key", "string", -1, ""},
		{"value", "bytes", -1, ""},
		{"ttl", "duration", -1, "0: for ever"},
	}},
	{"KVSetResult", []FieldInfo{}},
	{"KVSwapCall", []FieldInfo{
		{"key", "string", -1, ""},
		{"has_old", "yes/no", -1, "false: the key must be absent"},
		{"old", "bytes", -1, ""},
		{"has_new", "yes/no", -1, "false: the key goes"},
		{"new", "bytes", -1, ""},
		{"ttl", "duration", -1, ""},
	}},
	{"KVSwapResult", []FieldInfo{
		{"swapped", "yes/no", -1, ""},
	}},
	{"KVAddCall", []FieldInfo{
		{"key", "string", -1, ""},
		{"delta", "integer", -1, ""},
		{"ttl", "duration", -1, "counts from the first Add"},
	}},
	{"KVAddResult", []FieldInfo{
		{"value", "integer", -1, ""},
	}},
	{"KVDeleteCall", []FieldInfo{
		{"key", "string", -1, ""},
	}},
	{"KVDeleteResult", []FieldInfo{}},
	{"LookupCall", []FieldInfo{
		{"kind", "string", -1, "A, AAAA, TXT, PTR (name is an IP address)"},
		{"name", "string", -1, ""},
	}},
	{"LookupResult", []FieldInfo{
		{"values", "list of string", -1, ""},
	}},
	{"MXCall", []FieldInfo{
		{"domain", "string", -1, ""},
	}},
	{"MXResult", []FieldInfo{
		{"mx", "MX", recordMX, ""},
	}},
	{"HTTPCall", []FieldInfo{
		{"request", "HTTPRequest", recordHTTPRequest, ""},
	}},
	{"HTTPResult", []FieldInfo{
		{"response", "HTTPResponse", recordHTTPResponse, ""},
	}},
	{"ReadCall", []FieldInfo{
		{"offset", "integer", -1, ""},
		{"size", "integer", -1, "at most 256 KiB"},
	}},
	{"ReadResult", []FieldInfo{
		{"data", "bytes", -1, ""},
	}},
	{"HeaderCall", []FieldInfo{
		{"name", "string", -1, "in any case"},
	}},
	{"HeaderResult", []FieldInfo{
		{"values", "list of string", -1, ""},
	}},
	{"SendCall", []FieldInfo{
		{"route", "Route", recordRoute, ""},
		{"recipients", "list of Recipient", recordRecipient, ""},
		{"from", "string", -1, "the reverse-path"},
		{"lmtp", "yes/no", -1, ""},
	}},
	{"SendResult", []FieldInfo{
		{"outcomes", "list of Outcome", recordOutcome, ""},
	}},
}

// eventRecords are the records of the events by the name of their hook.
var eventRecords = map[string]int{
	"connect":    recordConnectEvent,
	"helo":       recordHeloEvent,
	"auth":       recordAuthEvent,
	"mail":       recordMailEvent,
	"rcpt":       recordRcptEvent,
	"predata":    recordPredataEvent,
	"data":       recordDataEvent,
	"route":      recordRouteEvent,
	"deliver":    recordDeliverEvent,
	"outcome":    recordOutcomeEvent,
	"bounce":     recordBounceEvent,
	"disconnect": recordDisconnectEvent,
}
