package plugintest

import (
	"bytes"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// Session makes the session of an unremarkable stranger, to be changed at will.
func Session() *sdk.Session {
	return &sdk.Session{
		ID:         "S1",
		Profile:    "mx",
		LocalAddr:  "198.51.100.1:25",
		RemoteIP:   "192.0.2.1",
		RemotePort: 50000,
		RemoteName: "client.example.com",
		Helo:       "client.example.com",
		Protocol:   "ESMTP",
		Started:    Epoch,
		Notes:      sdk.Notes{},
	}
}

// Envelope makes an envelope that such a stranger has sent.
func Envelope(from string, to ...string) *sdk.Envelope {
	e := &sdk.Envelope{
		ID:      "Q1",
		From:    from,
		Arrived: Epoch,
		Origin:  sdk.Origin{IP: "192.0.2.1", Name: "client.example.com", Helo: "client.example.com", Protocol: "ESMTP", Profile: "mx"},
		Notes:   sdk.Notes{},
	}
	for _, a := range to {
		e.Recipients = append(e.Recipients, sdk.Recipient{Addr: a})
	}
	return e
}

// Message makes a message of a text; LF line ends become CRLF.
func Message(text string) sdk.Message {
	content := crlf(text)
	return sdk.NewMessage("Q1", int64(len(content)), func() (sdk.Body, error) {
		return body{bytes.NewReader(content)}, nil
	})
}

func crlf(text string) []byte {
	return []byte(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"))
}

type body struct{ *bytes.Reader }

func (body) Close() error { return nil }
