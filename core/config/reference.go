package config

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

const preface = `# The configuration of mta: every key with its meaning and its default.
#
# A line with "#" and a blank explains. A line with "#" and no blank is a key as
# it is without this file, or an example where there is no such value: take the
# "#" away to set it. Unknown keys, wrong types and contradictions are refused;
# "mta check -c FILE" shows all of them at once.
#
# Sizes are octets with B, KiB, MiB, GiB or TiB: "25MiB". Durations are whole
# numbers with ms, s, m, h, d or w: "30s", "1h30m", "5d". Relative file names
# begin at the folder of this file.
`

// WriteReference writes the annotated default file, made from the structs of
// this package. It loads without fault, also with every example taken in.
func WriteReference(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(preface)
	c := reflect.ValueOf(Default()).Elem()
	fs := fields(c.Type())
	for _, f := range fs {
		if !f.isTable() {
			reference(&b, f, c.Field(f.index), "#")
		}
	}
	for _, f := range fs {
		if f.isTable() {
			referenceTable(&b, f, c.Field(f.index))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// isTable tells the fields that the file has as [name] or [[name]].
func (f field) isTable() bool {
	t := f.typ
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t != addrPortType && t != prefixType
}

func referenceTable(b *bytes.Buffer, f field, v reflect.Value) {
	b.WriteString("\n")
	wrap(b, "# ", f.tag.Get("doc"))
	mark := "#"
	if v.Kind() == reflect.Slice {
		if f.name == "listen" { // without one there is no mail, so this one is set
			mark = ""
		}
		fmt.Fprintf(b, "%s[[%s]]\n", mark, f.name)
		v = reflect.New(v.Type().Elem()).Elem()
	} else {
		fmt.Fprintf(b, "[%s]\n", f.name)
	}
	for _, k := range fields(v.Type()) {
		reference(b, k, v.Field(k.index), mark)
	}
}

// reference writes one key.
func reference(b *bytes.Buffer, f field, v reflect.Value, mark string) {
	b.WriteString("\n")
	wrap(b, "# ", f.tag.Get("doc"))
	sub := f.typ
	if sub.Kind() == reflect.Pointer || f.isTable() && sub.Kind() == reflect.Slice {
		sub = sub.Elem()
	}
	if sub.Kind() == reflect.Struct && sub != addrPortType && sub != prefixType {
		for _, k := range fields(sub) {
			wrap(b, "#   ", k.name+": "+k.tag.Get("doc")+k.facts(k.tag.Get("default")))
		}
	}
	value := cmp.Or(literal(v), quoteWords(f))
	wrap(b, "# ", strings.TrimSpace(f.facts(value)))
	fmt.Fprintf(b, "%s%s = %s\n", mark, f.name, cmp.Or(f.tag.Get("example"), value))
}

// quoteWords is the default of a key in an item of a list, as TOML.
func quoteWords(f field) string {
	def := f.tag.Get("default")
	if def != "" && f.typ.Kind() == reflect.String {
		return strconv.Quote(def)
	}
	return def
}

// facts are the type, the bounds and the default in words.
func (f field) facts(value string) string {
	var parts []string
	if words := strings.Fields(f.tag.Get("oneof")); len(words) > 0 {
		parts = append(parts, "One of "+strings.Join(words, ", ")+".")
	}
	least, most := f.tag.Get("min"), f.tag.Get("max")
	switch {
	case least != "" && most != "":
		parts = append(parts, "From "+least+" to "+most+".")
	case least != "":
		parts = append(parts, "At least "+least+".")
	case most != "":
		parts = append(parts, "At most "+most+".")
	}
	switch {
	case f.tag.Get("need") != "":
		parts = append(parts, "Required.")
	case f.tag.Get("without") != "":
		parts = append(parts, "Default: "+f.tag.Get("without")+".")
	case value != "":
		parts = append(parts, "Default: "+value+".")
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, " ")
}

// literal is a value as TOML; "" for one that is empty.
func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Size:
		if s := x.String(); x%1024 == 0 && x != 0 {
			return strconv.Quote(s)
		}
		return strconv.FormatInt(int64(x), 10)
	case time.Duration:
		return strconv.Quote(FormatDuration(x))
	case netip.AddrPort, netip.Prefix, []byte, OnError:
		return ""
	case string:
		if x != "" {
			return strconv.Quote(x)
		}
		return ""
	case int:
		if x != 0 {
			return strconv.Itoa(x)
		}
		return ""
	case bool:
		return strconv.FormatBool(x)
	}
	if v.Kind() == reflect.Slice && v.Len() > 0 {
		items := make([]string, v.Len())
		for i := range items {
			items[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return ""
}

// wrap writes a comment in lines that are pleasant to read.
func wrap(b *bytes.Buffer, mark, text string) {
	const width = 88
	line := 0
	for _, word := range strings.Fields(text) {
		switch {
		case line == 0:
			b.WriteString(mark)
			line = len(mark)
		case line+1+len(word) > width:
			b.WriteString("\n" + mark)
			line = len(mark)
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += len(word)
	}
	if line > 0 {
		b.WriteByte('\n')
	}
}
