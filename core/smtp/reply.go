package smtp

import "github.com/programmable-mta/mta/sdk"

// Reply is what is said to a client or was said by a server.
type Reply = sdk.Reply

// AppendReply appends a reply as it goes over the wire: several lines if need
// be, the enhanced code on each.
func AppendReply(dst []byte, r sdk.Reply) []byte { return dst }

// ParseReplyLine takes one line of a reply apart, without its CRLF.
func ParseReplyLine(line []byte) (code int, more bool, enhanced, text string, err error) {
	return 0, false, "", "", errStub
}
