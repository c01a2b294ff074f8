package config

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// maxSecret bounds what is read of a file that the configuration names.
const maxSecret = 4 << 20

// CheckFiles looks at the files that the configuration names: certificates,
// keys, authorities, passwords. It is apart from [Load] because the files may
// be made after the configuration, and because mta check says more than what
// keeps the relay from starting.
func (c *Config) CheckFiles(now time.Time) Faults {
	ch := &fileChecker{newChecker(cmp.Or(c.file, "config"), c.places), c.Dir}
	t := ch.root.child("tls")
	if c.TLS.Roots != "" {
		p := t.child("roots")
		if b, ok := ch.read(p, c.TLS.Roots, false); ok && !x509.NewCertPool().AppendCertsFromPEM(b) {
			ch.fault(ruleNoRoots, p, ch.show(c.TLS.Roots))
		}
	}
	for i, pair := range c.TLS.Certificates {
		ch.pair(t.child("certificates").item(i), pair, now)
	}
	for i, r := range c.Routes {
		if r.Auth == nil {
			continue
		}
		p := ch.root.child("route").item(i).child("auth").child("password_file")
		if b, ok := ch.read(p, r.Auth.PasswordFile, true); ok {
			if line, _, _ := bytes.Cut(b, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
				ch.fault(rulePasswordEmpty, p)
			}
		}
	}
	ch.result()
	return ch.faults
}

// fileChecker shows names as they stand in the file.
type fileChecker struct {
	*checker
	dir string
}

func (ch *fileChecker) show(path string) string {
	if rel, err := filepath.Rel(ch.dir, path); err == nil && filepath.IsLocal(rel) {
		path = rel
	}
	return show(path)
}

// pair checks one certificate and its key.
func (ch *fileChecker) pair(p place, pair Certificate, now time.Time) {
	cert, okCert := ch.read(p.child("cert"), pair.Cert, false)
	key, okKey := ch.read(p.child("key"), pair.Key, true)
	var leaf *x509.Certificate
	if okCert {
		if leaf = firstCertificate(cert); leaf == nil {
			ch.fault(ruleNoCertificate, p.child("cert"), ch.show(pair.Cert))
		} else if now.After(leaf.NotAfter) {
			ch.fault(ruleExpired, p.child("cert"), ch.show(pair.Cert), leaf.NotAfter.UTC().Format(time.DateOnly))
		} else if now.Before(leaf.NotBefore) {
			ch.fault(ruleNotYet, p.child("cert"), ch.show(pair.Cert), leaf.NotBefore.UTC().Format(time.DateOnly))
		}
	}
	if !okKey {
		return
	}
	if !hasKey(key) {
		ch.fault(ruleNoKey, p.child("key"), ch.show(pair.Key))
	} else if leaf != nil {
		if _, err := tls.X509KeyPair(cert, key); err != nil {
			ch.fault(rulePairMismatch, p.child("key"), ch.show(pair.Key), ch.show(pair.Cert))
		}
	}
}

// read brings the content of a file. The name of a password file is never
// shown: people write the password itself there.
func (ch *fileChecker) read(p place, path string, secret bool) ([]byte, bool) {
	name := ch.show(path)
	if p.pattern() == "route[].auth.password_file" {
		name = "the file"
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		ch.fault(ruleFileMissing, p, name)
		return nil, false
	}
	var b []byte
	var info fs.FileInfo
	if err == nil {
		defer f.Close()
		info, err = f.Stat()
	}
	if err == nil && info.Mode().IsRegular() {
		b, err = io.ReadAll(io.LimitReader(f, maxSecret))
	}
	switch {
	case err != nil:
		var reason error = err
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			reason = pe.Err // without the name
		}
		ch.fault(ruleFileUnreadable, p, name, reason)
		return nil, false
	case !info.Mode().IsRegular():
		ch.fault(ruleFileUnreadable, p, name, "it is not a file")
		return nil, false
	case secret && info.Mode().Perm()&0o007 != 0:
		ch.fault(ruleFileOpen, p, name)
	}
	return b, true
}

func firstCertificate(text []byte) *x509.Certificate {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil
		}
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil
			}
			return cert
		}
	}
}

// hasKey tells whether there is a key that can be used as it is.
func hasKey(text []byte) bool {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return false
		}
		if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return true
		}
		if _, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return true
		}
		if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return true
		}
	}
}
