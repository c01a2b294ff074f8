package smtp

// AppendDots appends body with dots stuffed (RFC 5321 §4.5.2). atLineStart tells
// whether the octet before body ended a line, and comes back for what follows.
func AppendDots(dst, body []byte, atLineStart bool) ([]byte, bool) { return dst, false }
