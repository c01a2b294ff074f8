package sdk

import (
	"errors"
	"io"
)

// Message is a handle on the content of a message. The content is read only
// when a plugin asks for it, in the pieces in which it asks.
type Message struct {
	ID   string `json:"id,omitzero"`   // the queue ID
	Size int64  `json:"size,omitzero"` // octets, with the trace fields that the relay has added

	open func() (Body, error)
}

// Body reads the content of a message: header, empty line, body, with CRLF line
// ends and without dot stuffing. It is not shared between goroutines.
type Body interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// NewMessage makes a handle; open is called for every reader. Plugin authors
// need it in tests only.
func NewMessage(id string, size int64, open func() (Body, error)) Message {
	return Message{ID: id, Size: size, open: open}
}

// Open reads the content from its beginning. The caller closes it.
func (m Message) Open() (Body, error) {
	if m.open == nil {
		return nil, errors.New("sdk: message without content")
	}
	return m.open()
}

// MaxHeader is the most that [Message.Header] reads.
const MaxHeader = 1 << 20

// Header reads and splits the header. It fails when the header is larger than
// [MaxHeader]. Lines that are no header field are kept as fields without name.
func (m Message) Header() (Header, error) {
	b, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return ReadHeader(b)
}
