package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/config"
)

// certificates are our own, read again when their files change, so that a
// renewed one is used without a reload. A pair that cannot be read keeps the
// one before.
type certificates struct {
	files []config.Certificate
	now   func() time.Time
	log   func(level slog.Level, msg string, args ...any)

	mu      sync.Mutex
	config  *tls.Config
	stamps  []time.Time
	checked time.Time
}

// certificateCheck is how often the files are looked at, at the most.
const certificateCheck = 10 * time.Second

func loadCertificates(files []config.Certificate, now func() time.Time, log func(slog.Level, string, ...any)) (*certificates, error) {
	c := &certificates{files: files, now: now, log: log}
	if len(files) == 0 {
		return c, nil
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificates) load() error {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12} // RFC 8997
	stamps := c.stat()
	for _, f := range c.files {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
		}
		cfg.Certificates = append(cfg.Certificates, pair)
	}
	c.config, c.stamps, c.checked = cfg, stamps, c.now()
	return nil
}

func (c *certificates) stat() []time.Time {
	var stamps []time.Time
	for _, f := range c.files {
		for _, name := range []string{f.Cert, f.Key} {
			st, err := os.Stat(name)
			if err != nil {
				stamps = append(stamps, time.Time{})
				continue
			}
			stamps = append(stamps, st.ModTime())
		}
	}
	return stamps
}

// current is the configuration of the next handshake; nil without certificates.
func (c *certificates) current() *tls.Config {
	if len(c.files) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= certificateCheck || now.Before(c.checked) {
		c.checked = now
		if stamps := c.stat(); !equalTimes(stamps, c.stamps) {
			if err := c.load(); err != nil {
				c.stamps = stamps
				c.log(slog.LevelError, "the new certificate is not used: "+err.Error())
			} else {
				c.log(slog.LevelInfo, "certificates read again")
			}
		}
	}
	return c.config
}

func equalTimes(a, b []time.Time) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// loadRoots are the authorities that next hops are verified against; nil is the
// system's.
func loadRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tls.roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.roots: %w", errors.New(path+" holds no certificate in PEM form"))
	}
	return pool, nil
}
