package footer

import (
	"strings"
)

// untouchable are media types whose presence anywhere means that somebody
// relies on the message being as it is.
var untouchable = map[string]string{
	"multipart/signed":                 "it is signed",
	"multipart/encrypted":              "it is encrypted",
	"application/pkcs7-mime":           "it is signed or encrypted",
	"application/x-pkcs7-mime":         "it is signed or encrypted",
	"application/pkcs7-signature":      "it is signed",
	"application/x-pkcs7-signature":    "it is signed",
	"application/pgp-encrypted":        "it is encrypted",
	"application/pgp-signature":        "it is signed",
	"application/pgp":                  "it is signed or encrypted",
	"multipart/report":                 "it is a report",
	"multipart/digest":                 "it is a digest",
	"multipart/form-data":              "it is a form",
	"message/delivery-status":          "it is a report",
	"message/disposition-notification": "it is a report",
	"message/feedback-report":          "it is a report",
	"text/calendar":                    "it is an invitation",
	"text/directory":                   "it is a card",
	"text/x-vcard":                     "it is a card",
	"text/vcard":                       "it is a card",
}

// reserved is why a message must not be changed; empty: it may be.
func reserved(top *entity) string {
	for _, name := range []string{Marker, "DKIM-Signature", "ARC-Seal"} {
		if _, n := top.get(strings.ToLower(name)); n > 0 {
			return "it has a " + name + " field"
		}
	}
	if v, n := top.get("auto-submitted"); n > 0 && strings.HasPrefix(strings.ToLower(v), "auto-replied") {
		return "it is an automatic reply"
	}
	return top.reserved()
}

func (e *entity) reserved() string {
	if why := untouchable[e.media]; why != "" {
		return why
	}
	if _, n := e.get("content-md5"); n > 0 {
		return "a part has a checksum"
	}
	if strings.HasPrefix(e.media, "text/") && !e.attachment {
		// What cannot be decoded here is not changed either.
		if e.content, e.err = decode(e.body, e.encoding); e.err == nil && inlinePGP(e.content) {
			return "it is signed or encrypted"
		}
	}
	for _, k := range e.kids {
		if why := k.reserved(); why != "" {
			return why
		}
	}
	return ""
}

// places are the texts to which a footer is added; nil: there are none here.
//
// Of an alternative those that say the same in another form each get it; of
// related parts the root; of a mixture the last text that is not an attachment,
// because that is what a reader sees last.
func (e *entity) places() []*entity {
	switch e.media {
	case "text/plain", "text/html":
		if e.attachment || e.bodiless {
			return nil
		}
		return []*entity{e}
	case "multipart/alternative":
		var all []*entity
		for _, k := range e.kids {
			all = append(all, k.places()...)
		}
		return all
	case "multipart/related":
		return e.root().places()
	case "multipart/mixed":
		for i := len(e.kids) - 1; i >= 0; i-- {
			if all := e.kids[i].places(); all != nil {
				return all
			}
		}
	}
	return nil
}

// root is the part that the others of a multipart/related belong to, RFC 2387 §3.2.
func (e *entity) root() *entity {
	if start := e.params["start"]; start != "" {
		for _, k := range e.kids {
			if id, _ := k.get("content-id"); id == start {
				return k
			}
		}
	}
	return e.kids[0]
}
