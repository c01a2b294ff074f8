// Package plugintest is the test kit of plugin authors. It has a fake [Host],
// makers for sessions, envelopes and messages, and a runner for stories: text
// files that tell what a plugin is asked and what it has to answer.
//
// A story knows nothing of Go. Its events and answers are data, so the same
// file tests the plugin compiled in, as a WebAssembly module, and as a process
// of its own; only the [Loader] differs.
//
// # A test
//
//	func TestStories(t *testing.T) { plugintest.Run(t, relay.New) }
//
// runs every testdata/*.txtar, each with a plugin and a host of its own.
//
// # A story
//
//	Mail for our domain is accepted, whoever sends it.
//
//	-- config --
//	{"domains": ["example.org"]}
//	-- story --
//	session ip=192.0.2.1
//	rcpt user@example.org
//	    accept
//	rcpt user@elsewhere.example
//	    continue
//
// A line that is not indented is an event or sets something up; the indented
// lines below an event are the answer that it must get, all of it. Lines that
// begin with # are comments. "..." in an answer stands for any text.
//
// The sections are:
//
//	config        the plugin's configuration, JSON; default {}
//	allow         the grants that the plugin gets: "kv dns"; without it all
//	story         what happens
//	start         Start must fail, with an error that contains this text
//	message       the message of data, deliver and bounce; LF becomes CRLF
//	file NAME     a file that lies in $WORK before Start
//
// $WORK, in config and in words of the story, is a folder of this story alone.
//
// Words are separated by spaces; "quoted words" follow the rules of Go, and
// <an address in brackets> is one word. The setting lines are:
//
//	session  ip= port= name= helo= protocol= tls= login= profile= local= id= note.PLUGIN.KEY=
//	envelope from= to= id= body= ret= envid= size= arrived= smtputf8 requiretls note.PLUGIN.KEY= origin.FIELD=
//	clock +5m                          the host's clock goes on
//	dns TXT example.org "v=spf1 -all"  records; a "!text" is a temporary error
//	mx example.org mx1 mx2             exchangers; or "null", "loops", "nodomain", "!text"
//	send delivered 250 2.0.0 ok        the next outcome of Host.Send
//	http GET https://x/y 200 body      the next answer of Host.HTTP, header.NAME=; or "!text", a temporary error
//	kv key value [ttl=5m]              what the plugin's store holds
//	metric refused 2                   what a counter or gauge of the plugin must stand at by now
//	fuel 40000                         the most that each event from here on may burn; 0: no ceiling
//
// Lines of session and of envelope add up: each changes what it names, and the
// rest, with the notes, stays as it was. "session login=" sets a field to nothing
// again; each story begins with those of [Session] and [Envelope].
//
// Fuel is known where the plugin is a WebAssembly module; elsewhere its ceiling
// is not checked.
//
// to= takes addresses separated by commas. The events are:
//
//	connect
//	helo NAME
//	auth MECHANISM USER PASSWORD
//	mail FROM
//	rcpt TO [orig= notify= orcpt=]
//	predata
//	data
//	route TO [orig= attempt= last="deferred 451 4.2.0 busy"]
//	deliver TO... [via= hosts=a,b tls= attempt=]
//	outcome TO deferred 451 4.2.0 busy [attempt= via=]
//	bounce failed TO 550 5.1.1 unknown
//	disconnect REASON
//	requests                           the HTTP requests so far, with their bodies
//	files                              the files below $WORK
//	cat PATTERN                        the content of those that match
//
// helo, mail and rcpt change session and envelope as in the relay: a recipient
// that is accepted or continued joins the envelope, and notes are kept under
// the plugin name "plugin".
//
// # An answer
//
// The first line is the action with its reply; what else there is follows, one
// thing a line, in this order:
//
//	reject 550 5.7.1 relaying denied         reject and the like
//	identity: alice
//	recipient 2: discard                     verdicts on recipients
//	edit: replace-recipient a@x -> b@x
//	edit: prepend-header X-Seen: yes
//	edit: note key=value
//
//	use smtp mx1.example.org mx2.example.org      a route
//	mx: yes
//	tls: verify
//
//	delivered 250 2.0.0 ok                   an outcome, one after the other
//	flags: maybe-duplicate
//
//	keep | deferred | failed | hold          an outcome hook, with delay: and reply:
//	send | suppress | defer | hold           a bounce hook
//	done                                     a disconnect hook
//	error: text                              the plugin is broken
//	send: smtp a@x b@x                       what it sent through the host meanwhile
//
// The lines reason:, rule:, key:, remote:, tls-in-use: and log: are compared
// only when the story has one of that kind.
package plugintest
