package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// post is what the service gets as JSON.
type post struct {
	ID         string      `json:"id"` // of the message in the relay's queue
	From       string      `json:"from"`
	Recipients []recipient `json:"recipients"`
	Attempt    int         `json:"attempt"`
	Arrived    time.Time   `json:"arrived"`
	Origin     origin      `json:"origin"`
	Headers    [][2]string `json:"headers,omitempty"` // unfolded, from the top
	Body       []byte      `json:"body,omitempty"`    // base64; all behind the header
}

type recipient struct {
	Address  string `json:"address"`
	Original string `json:"original,omitempty"` // as the client gave it, when that was another
	Key      string `json:"key"`                // the same in every attempt
}

type origin struct {
	IP    string `json:"ip,omitempty"`
	Name  string `json:"name,omitempty"`
	Login string `json:"login,omitempty"`
}

// body is the body of the request, its type, and the fields that go with it.
// With the format raw the message is the body, and what else there is to say
// stands in a field, as base64 because an address may have any character.
func (p *plugin) body(e *sdk.DeliverEvent, message []byte) ([]byte, string, []sdk.HTTPField, error) {
	out := post{ID: e.Envelope.ID, From: e.Envelope.From, Attempt: e.Attempt, Arrived: e.Envelope.Arrived.UTC(),
		Origin: origin{e.Envelope.Origin.IP, e.Envelope.Origin.Name, e.Envelope.Origin.Login}}
	for _, r := range e.Recipients {
		out.Recipients = append(out.Recipients, recipient{r.Addr, r.Orig, key(e.Envelope.ID, []sdk.Recipient{r})})
	}
	if p.Format == "raw" {
		envelope, err := json.Marshal(out)
		field := sdk.HTTPField{Name: "Mta-Envelope", Value: base64.StdEncoding.EncodeToString(envelope)}
		return message, "message/rfc822", []sdk.HTTPField{field}, err
	}
	header, err := sdk.ReadHeader(bytes.NewReader(message))
	if err != nil {
		return nil, "", nil, err
	}
	size := 0
	for _, f := range header {
		out.Headers = append(out.Headers, [2]string{f.Name, f.Value()})
		size += len(f.Raw)
	}
	out.Body = bytes.TrimPrefix(message[size:], []byte("\r\n"))
	b, err := json.Marshal(out)
	return b, "application/json", nil, err
}
