package record

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// The structs of the sdk are handled by reflection: while nobody records none
// of this runs, and a new field needs no change here.

var (
	timeType    = reflect.TypeFor[time.Time]()
	messageType = reflect.TypeFor[sdk.Message]()
)

// clone copies a value deep, so that it can be written down after its owner has
// gone on to change it. Of a message only the handle's facts stay.
func clone[T any](v *T) *T {
	return cloned(reflect.ValueOf(v)).Interface().(*T)
}

func cloned(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(cloned(v.Elem()))
		return p
	case reflect.Struct:
		n := reflect.New(v.Type()).Elem()
		n.Set(v)
		switch v.Type() {
		case timeType:
			return n
		case messageType:
			m := v.Interface().(sdk.Message)
			n.Set(reflect.ValueOf(sdk.Message{ID: m.ID, Size: m.Size}))
			return n
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				n.Field(i).Set(cloned(v.Field(i)))
			}
		}
		return n
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		n := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		if v.Type().Elem().Kind() == reflect.Uint8 {
			reflect.Copy(n, v)
			return n
		}
		for i := range v.Len() {
			n.Index(i).Set(cloned(v.Index(i)))
		}
		return n
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		n := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			n.SetMapIndex(cloned(it.Key()), cloned(it.Value()))
		}
		return n
	}
	return v
}

// visitor changes the strings and octets of a value in place. field is the
// type and name of the field that holds them, "Recipient.Addr".
type visitor struct {
	text  func(field, s string) string
	bytes func(b []byte) []byte
}

func (w visitor) visit(v reflect.Value, field string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.visit(v.Elem(), field)
		}
	case reflect.Struct:
		w.visitStruct(v)
	case reflect.String:
		v.SetString(w.text(field, v.String()))
	case reflect.Float64:
		// JSON has no words for these; a plugin that sends them gets 0 recorded,
		// and compared.
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			v.SetFloat(0)
		}
	case reflect.Slice:
		// No runtime tells an empty list from none.
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if w.bytes != nil {
				v.SetBytes(w.bytes(v.Bytes()))
			}
			return
		}
		for i := range v.Len() {
			w.visit(v.Index(i), field)
		}
	case reflect.Map:
		w.visitMap(v, field)
	}
}

func (w visitor) visitStruct(v reflect.Value) {
	t := v.Type()
	if t == timeType {
		at := v.Interface().(time.Time)
		if !at.IsZero() {
			at = at.UTC()
		}
		v.Set(reflect.ValueOf(at))
		return
	}
	for i := range v.NumField() {
		if f := t.Field(i); f.IsExported() {
			w.visit(v.Field(i), t.Name()+"."+f.Name)
		}
	}
}

func (w visitor) visitMap(v reflect.Value, field string) {
	if v.Len() == 0 {
		v.SetZero()
		return
	}
	if v.Type().Key().Kind() != reflect.String || v.Type().Elem().Kind() != reflect.String {
		return
	}
	n := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		key := reflect.ValueOf(w.text(field, it.Key().String())).Convert(v.Type().Key())
		n.SetMapIndex(key, reflect.ValueOf(w.text(field, it.Value().String())))
	}
	v.Set(n)
}

// rawOctets is where octets that are no UTF-8 are put.
const rawOctets = 0x10ff00

// escape makes a string of UTF-8; unescape is its inverse. What unescape would
// mistake for an escape is escaped itself.
func escape(s string) string {
	clean := utf8.ValidString(s)
	if clean {
		for i := 0; clean && i < len(s); i++ {
			clean = s[i] != 0xf4 // all of the private plane begins with it
		}
	}
	if clean {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 || r >= rawOctets {
			for ; n > 0; n-- {
				b = utf8.AppendRune(b, rawOctets+rune(s[i]))
				i++
			}
			continue
		}
		b = append(b, s[i:i+n]...)
		i += n
	}
	return string(b)
}

func unescape(s string) string {
	i := 0
	for i < len(s) && s[i] != 0xf4 {
		i++
	}
	if i == len(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= rawOctets {
			b = append(b, byte(r-rawOctets))
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

var (
	escaper   = visitor{text: func(_, s string) string { return escape(s) }}
	unescaper = visitor{text: func(_, s string) string { return unescape(s) }}
)

// marshal is the JSON of a value that belongs to the caller, which it changes.
func marshal(v any) (json.RawMessage, error) {
	escaper.visit(reflect.ValueOf(v), "")
	return encode(v)
}

// encode is compact JSON as people read it, without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// weigh is about how much memory a value holds.
func weigh(v reflect.Value) int64 {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 8
		}
		return 8 + weigh(v.Elem())
	case reflect.String:
		return 16 + int64(v.Len())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return 24 + int64(v.Len())
		}
		n := int64(24)
		for i := range v.Len() {
			n += weigh(v.Index(i))
		}
		return n
	case reflect.Map:
		n := int64(48)
		for it := v.MapRange(); it.Next(); {
			n += weigh(it.Key()) + weigh(it.Value())
		}
		return n
	case reflect.Struct:
		n := int64(0)
		for i := range v.NumField() {
			n += weigh(v.Field(i))
		}
		return n
	}
	return 8
}
