package main

import (
	"bufio"
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestSwaksReachesAMaildirOfPostfixThroughTheRelay(t *testing.T) {
	need(t, "swaks")
	pf := startPostfix(t, freePort(t))
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\n", pf.port))
	out := command(t, "", "swaks", "--server", fmt.Sprintf("127.0.0.1:%d", d.port), "--from", "a@sender.test", "--to", "bob@local.test",
		"--header", "Subject: from swaks", "--body", "line one\n.dot line\nlast", "--pipeline")
	if !regexp.MustCompile(`250 2\.0\.0 queued as [0-9A-Z]+`).MatchString(out) {
		t.Errorf("no queue ID in what swaks was told:\n%s", out)
	}
	waitFor(t, 20*time.Second, "Postfix has the mail", func() bool { return len(pf.mails(t)) == 1 })
	m := pf.mails(t)[0]
	for _, want := range []string{"Subject: from swaks", "\n.dot line\n", "by relay.test", "for <bob@local.test>"} {
		if !strings.Contains(m, want) {
			t.Errorf("the delivered mail lacks %q:\n%s", want, m)
		}
	}
	d.waitEmpty(20 * time.Second)
	waitFor(t, 5*time.Second, "the log says sent", func() bool {
		return regexp.MustCompile(`to=<bob@local\.test>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+, .*dsn=2\.0\.0, status=sent`).MatchString(d.log.String())
	})
}

func TestPostfixRelaysThroughUsToEximAndTheBounceComesBack(t *testing.T) {
	need(t, "smtp-source")
	port := freePort(t)
	pf := startPostfix(t, port)
	ex := startExim(t)
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"local.test\"\nhosts = [\"127.0.0.1:%d\"]\n[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\n", pf.port, ex.port))
	// Postfix was told the port of its relay before the relay had one.
	command(t, "", "postconf", "-c", filepath.Join(pf.dir, "etc"), "-e", fmt.Sprintf("relayhost=[127.0.0.1]:%d", d.port))
	command(t, "", "postfix", "-c", filepath.Join(pf.dir, "etc"), "reload")

	send := func(from, to string) {
		command(t, "", "smtp-source", "-f", from, "-t", to, "-m", "1", fmt.Sprintf("127.0.0.1:%d", pf.port))
	}
	send("ann@local.test", "carl@exim.test")
	waitFor(t, 30*time.Second, "Exim has the mail", func() bool { return len(ex.mails(t)) == 1 })
	if m := ex.mails(t)[0]; !strings.Contains(m, "by relay.test") || !strings.Contains(m, "by postfix.test") {
		t.Errorf("the mail does not tell its way:\n%s", m)
	}

	send("ann@local.test", "nosuch@exim.test")
	waitFor(t, 30*time.Second, "the DSN is in the sender's mailbox", func() bool { return len(pf.mails(t)) == 1 })
	dsn := pf.mails(t)[0]
	for _, want := range []string{"multipart/report", "Final-Recipient: rfc822; nosuch@exim.test", "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550", "Return-Path: <>"} {
		if !strings.Contains(dsn, want) {
			t.Errorf("the DSN lacks %q:\n%s", want, dsn)
		}
	}
	d.waitEmpty(20 * time.Second)
}

func TestDovecotTakesMailByLMTPAndUnknownUsersComeBack(t *testing.T) {
	dc := startDovecot(t)
	pf := startPostfix(t, freePort(t))
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"box.test\"\nvia = \"lmtp\"\nhosts = [\"127.0.0.1:%d\"]\n[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\n", dc.port, pf.port))
	msg := "From: ann@local.test\r\nTo: ann@box.test\r\nSubject: by LMTP\r\n\r\nhello\r\n"
	if err := smtp.SendMail(fmt.Sprintf("127.0.0.1:%d", d.port), nil, "ann@local.test", []string{"ann@box.test", "nobody@box.test"}, []byte(msg)); err != nil {
		t.Fatal(err)
	}
	box := filepath.Join(dc.dir, "mail", "ann@box.test")
	waitFor(t, 20*time.Second, "Dovecot has the mail", func() bool { return len(maildir(t, box)) == 1 })
	waitFor(t, 20*time.Second, "the DSN is in the sender's mailbox", func() bool { return len(pf.mails(t)) == 1 })
	dsn := pf.mails(t)[0]
	if !strings.Contains(dsn, "Final-Recipient: rfc822; nobody@box.test") || strings.Contains(dsn, "Final-Recipient: rfc822; ann@box.test") {
		t.Errorf("the DSN names the wrong recipients:\n%s", dsn)
	}
	d.waitEmpty(20 * time.Second)
}

func TestWhatAServerDefersIsDeliveredOnceItIsBack(t *testing.T) {
	pf := startPostfix(t, freePort(t))
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\n[delivery]\nretry = [\"1s\"]\n", pf.port))
	if err := smtp.SendMail(fmt.Sprintf("127.0.0.1:%d", d.port), nil, "a@x.test", []string{"later@local.test"}, []byte("Subject: patience\r\n\r\nx\r\n")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 20*time.Second, "the queue shows the words of Postfix", func() bool {
		return strings.Contains(d.mta("queue", "list"), "450 4.2.0")
	})
	command(t, "", "postconf", "-c", filepath.Join(pf.dir, "etc"), "-e", "smtpd_recipient_restrictions=permit_mynetworks,reject")
	command(t, "", "postfix", "-c", filepath.Join(pf.dir, "etc"), "reload")
	waitFor(t, 40*time.Second, "Postfix has the mail", func() bool { return len(pf.mails(t)) == 1 })
	d.waitEmpty(20 * time.Second)
}

func TestPythonsSmtplibSubmits(t *testing.T) {
	need(t, "python3")
	pf := startPostfix(t, freePort(t))
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\n", pf.port))
	command(t, fmt.Sprintf(`
import smtplib, email.message
m = email.message.EmailMessage()
m["From"], m["To"], m["Subject"] = "a@x.test", "bob@local.test", "from smtplib"
m.set_content("Grüße")
with smtplib.SMTP("127.0.0.1", %d) as s:
    s.send_message(m, mail_options=["BODY=8BITMIME"])
`, d.port), "python3", "-")
	waitFor(t, 20*time.Second, "Postfix has the mail", func() bool { return len(pf.mails(t)) == 1 })
	if !strings.Contains(pf.mails(t)[0], "Subject: from smtplib") {
		t.Error(pf.mails(t)[0])
	}
}

func TestTenThousandMessagesOver50SessionsArriveOnceEach(t *testing.T) {
	need(t, "smtp-source", "smtp-sink")
	n := 10000
	if testing.Short() {
		n = 1000
	}
	dir := worldDir(t)
	must(t, os.Chmod(dir, 0o777))
	port := freePort(t)
	spawn(t, dir, find("smtp-sink"), sinkUser("-R", dir, "-D", "got", fmt.Sprintf("127.0.0.1:%d", port), "1000")...)
	waitFor(t, 10*time.Second, "smtp-sink listens", listens(port))
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\ntls = \"none\"\n[delivery]\nconcurrency = 50\n[limits]\nsessions_per_ip = 100\n", port))
	// -N numbers the recipients, so that each message can be told from the others.
	command(t, "", "smtp-source", "-d", "-N", "-s", "50", "-m", fmt.Sprint(n), "-l", "4096", "-f", "a@x.test", "-t", "r@y.test", fmt.Sprintf("127.0.0.1:%d", d.port))
	d.waitEmpty(2 * time.Minute)
	d.stop(20 * time.Second)

	seen := map[string]int{}
	f, err := os.Open(filepath.Join(dir, "got"))
	must(t, err)
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if rcpt, ok := strings.CutPrefix(sc.Text(), "X-Rcpt-Args: "); ok {
			seen[rcpt]++
		}
	}
	must(t, sc.Err())
	if len(seen) != n {
		t.Errorf("%d different messages arrived, want %d", len(seen), n)
	}
	for rcpt, times := range seen {
		if times != 1 {
			t.Errorf("%s arrived %d times", rcpt, times)
		}
	}
}

// sinkUser lets smtp-sink drop root, which it insists on.
func sinkUser(args ...string) []string {
	if os.Getuid() == 0 {
		return append([]string{"-u", "nobody"}, args...)
	}
	return args
}

func TestPflogsummReadsOurLogAndItsTotalsAreOurs(t *testing.T) {
	need(t, "pflogsumm", "swaks")
	pf := startPostfix(t, freePort(t))
	d := startDaemon(t, fmt.Sprintf("[[route]]\nto = \"*\"\nhosts = [\"127.0.0.1:%d\"]\n", pf.port))
	addr := fmt.Sprintf("127.0.0.1:%d", d.port)
	for i := range 3 {
		must(t, smtp.SendMail(addr, nil, "a@x.test", []string{fmt.Sprintf("u%d@local.test", i)}, []byte("Subject: x\r\n\r\nx\r\n")))
	}
	must(t, smtp.SendMail(addr, nil, "a@local.test", []string{"nosuch@local.test"}, []byte("Subject: x\r\n\r\nx\r\n")))
	must(t, smtp.SendMail(addr, nil, "a@x.test", []string{"later@local.test"}, []byte("Subject: x\r\n\r\nx\r\n")))
	waitFor(t, 30*time.Second, "three mails and a DSN are delivered", func() bool { return len(pf.mails(t)) == 4 })
	d.stop(20 * time.Second)
	out := command(t, d.log.String(), "pflogsumm", "--syslog-name=mta")
	for _, want := range []string{`5\s+received`, `4\s+delivered`, `1\s+deferred`, `1\s+bounced`} {
		if !regexp.MustCompile(`(?m)^\s+` + want).MatchString(out) {
			t.Errorf("pflogsumm does not say %q:\n%s\nof\n%s", want, tail(out, 3000), d.log.String())
		}
	}
}
