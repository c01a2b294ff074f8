package gen

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
)

// The types of protobuf fields, by their numbers in descriptor.proto.
const (
	pbDouble  = 1
	pbInt64   = 3
	pbUint64  = 4
	pbInt32   = 5
	pbBool    = 8
	pbString  = 9
	pbMessage = 11
	pbBytes   = 12
	pbUint32  = 13
	pbEnum    = 14
)

var pbNames = map[int]string{pbDouble: "double", pbInt64: "int64", pbUint64: "uint64", pbInt32: "int32", pbBool: "bool", pbString: "string", pbBytes: "bytes", pbUint32: "uint32"}

// protoField is one field of a message.
type protoField struct {
	Name     string
	Number   int
	Type     int
	Message  string // or enumeration
	Repeated bool
	Notes    bool // a map of strings to strings
	Oneof    bool // one of those of the message
	Doc      string
}

type protoMessage struct {
	Name, Doc string
	Oneof     string // the name of its oneof
	Fields    []protoField
}

type protoEnum struct {
	Name, Doc string
	Values    []EnumValue
}

// protoSchema is what stands in the .proto.
type protoSchema struct {
	Messages []protoMessage
	Enums    []protoEnum
}

// protoModel makes the messages of the schema and those around them.
func protoModel(s *Schema) *protoSchema {
	m := &protoSchema{}
	to := protoMessage{Name: "ToPlugin", Oneof: "body", Doc: "What the relay says to a plugin.", Fields: []protoField{
		{Name: "seq", Number: 1, Type: pbUint64, Doc: "which request this is; with cancel: which one is to end"},
		{Name: "call", Number: 2, Type: pbUint32, Doc: "with result: the number that the plugin gave to its call"},
		{Name: "now", Number: 3, Type: pbInt64, Doc: "with an event, start and self_test: the relay's time; nanoseconds since 1970"},
		{Name: "describe", Number: 10, Type: pbMessage, Message: "Describe", Oneof: true, Doc: "the first request; answered by description"},
		{Name: "start", Number: 11, Type: pbMessage, Message: "Start", Oneof: true, Doc: "answered by done or error"},
		{Name: "self_test", Number: 12, Type: pbMessage, Message: "SelfTest", Oneof: true, Doc: "answered by done or error"},
		{Name: "result", Number: 13, Type: pbMessage, Message: "CallResult", Oneof: true, Doc: "answers a call of the plugin"},
		{Name: "cancel", Number: 14, Type: pbMessage, Message: "Cancel", Oneof: true, Doc: "nobody waits any more for the answer to seq"},
		{Name: "stop", Number: 15, Type: pbMessage, Message: "Stop", Oneof: true, Doc: "no more events come; answered by done when all is put away"},
	}}
	from := protoMessage{Name: "FromPlugin", Oneof: "body", Doc: "What a plugin says to the relay.", Fields: []protoField{
		{Name: "seq", Number: 1, Type: pbUint64, Doc: "the request that it answers, or during which it calls"},
		{Name: "call", Number: 2, Type: pbUint32, Doc: "of a call: a number of the plugin's choice, which comes back with the result; 0: no result is wanted"},
		{Name: "description", Number: 10, Type: pbMessage, Message: "Description", Oneof: true},
		{Name: "done", Number: 11, Type: pbMessage, Message: "Done", Oneof: true, Doc: "answers start, self_test and stop"},
		{Name: "error", Number: 13, Type: pbMessage, Message: "Error", Oneof: true, Doc: "answers any request: the plugin is broken"},
	}}
	result := protoMessage{Name: "CallResult", Oneof: "result", Doc: "What came of a call.", Fields: []protoField{
		{Name: "code", Number: 1, Type: pbEnum, Message: "CallCode"},
		{Name: "reason", Number: 2, Type: pbString, Doc: "why it failed, in words"},
	}}
	for _, h := range s.Hooks {
		to.Fields = append(to.Fields, protoField{Name: h.Info.Name, Number: 100 + h.Number, Type: pbMessage, Message: h.Event.Name, Oneof: true, Doc: h.Info.When})
		answer := "Done"
		if h.Answer != nil {
			answer = h.Answer.Name
		}
		from.Fields = append(from.Fields, protoField{Name: h.Info.Name, Number: 100 + h.Number, Type: pbMessage, Message: answer, Oneof: true})
	}
	for _, c := range s.Calls {
		from.Fields = append(from.Fields, protoField{Name: "call_" + c.Info.Name, Number: 200 + c.Number, Type: pbMessage, Message: c.Call.Name, Oneof: true, Doc: c.Info.Doc})
		result.Fields = append(result.Fields, protoField{Name: c.Info.Name, Number: 200 + c.Number, Type: pbMessage, Message: c.Result.Name, Oneof: true})
	}
	m.Messages = append(m.Messages, to, from, result)
	m.Messages = append(m.Messages, around()...)
	for _, r := range s.Records {
		msg := protoMessage{Name: r.Name, Doc: r.Doc}
		for _, f := range r.Fields {
			msg.Fields = append(msg.Fields, s.protoField(f))
		}
		m.Messages = append(m.Messages, msg)
	}
	for _, e := range s.Enums {
		pe := protoEnum{Name: e.Name, Doc: e.Doc}
		prefix := enumPrefix(e.Name)
		if e.Values[0].N != 0 {
			// proto3 wants a zero, which is absent.
			pe.Values = append(pe.Values, EnumValue{Name: prefix + "NONE"})
		}
		for _, v := range e.Values {
			pe.Values = append(pe.Values, EnumValue{Name: prefix + strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(v.Name)), N: v.N, Doc: v.Doc})
		}
		if e.Flags {
			pe.Doc += " Fields hold a sum of them."
		}
		m.Enums = append(m.Enums, pe)
	}
	return m
}

// around are the messages that the Go types do not have.
func around() []protoMessage {
	return []protoMessage{
		{Name: "Describe", Doc: "Asks what the plugin is."},
		{Name: "Start", Doc: "Hands over what the plugin needs to work.", Fields: []protoField{
			{Name: "config_json", Number: 1, Type: pbBytes, Doc: "the plugin's table in the configuration, as JSON; never empty"},
			{Name: "hostname", Number: 2, Type: pbString, Doc: "the name by which the relay calls itself"},
			{Name: "grants", Number: 3, Type: pbString, Repeated: true, Doc: "what it is allowed; the names of the table of grants"},
			{Name: "name", Number: 4, Type: pbString, Doc: "the name that the configuration gives the plugin: its notes are NAME.key"},
		}},
		{Name: "SelfTest", Doc: "Asks whether it is fit for work."},
		{Name: "Cancel", Doc: "Ends a request early."},
		{Name: "Stop", Doc: "Ends the plugin."},
		{Name: "Done", Doc: "Yes, without more words."},
		{Name: "Error", Doc: "The plugin is broken; the operator's on_error says what becomes of the mail.", Fields: []protoField{
			{Name: "text", Number: 1, Type: pbString, Doc: "at most 1,024 octets are kept"},
		}},
		{Name: "Description", Doc: "What a plugin says of itself.", Fields: []protoField{
			{Name: "name", Number: 1, Type: pbString},
			{Name: "version", Number: 2, Type: pbString, Doc: "semantic version"},
			{Name: "abi", Number: 3, Type: pbInt32, Doc: "minor version of the contract that it was made for"},
			{Name: "hooks", Number: 4, Type: pbMessage, Message: "HookFields", Repeated: true, Doc: "those that it wants to be asked"},
			{Name: "needs", Number: 5, Type: pbString, Repeated: true, Doc: "the grants without which it cannot work"},
			{Name: "wants", Number: 6, Type: pbString, Repeated: true, Doc: "the grants without which it can do less"},
		}},
		{Name: "HookFields", Doc: "A hook, and what of its event is sent.", Fields: []protoField{
			{Name: "hook", Number: 1, Type: pbString},
			{Name: "fields", Number: 2, Type: pbString, Repeated: true, Doc: `"session.remote_ip", or "*" for all`},
		}},
	}
}

func (s *Schema) protoField(f Field) protoField {
	p := protoField{Name: f.Name, Number: f.Slot + 1, Doc: f.Doc}
	kind := f.Kind
	if kind == List {
		p.Repeated, kind = true, f.Elem
	}
	unit := ""
	switch kind {
	case Bool:
		p.Type = pbBool
	case Int:
		p.Type = pbInt64
	case Float:
		p.Type = pbDouble
	case Time:
		p.Type, unit = pbInt64, "nanoseconds since 1970"
	case Duration:
		p.Type, unit = pbInt64, "nanoseconds"
	case Enum:
		p.Type, p.Message = pbEnum, f.Type
		if s.Enum(f.Type).Flags {
			p.Type, p.Message, unit = pbUint32, "", "a sum of "+f.Type
		}
	case String:
		p.Type = pbString
	case Bytes:
		p.Type = pbBytes
	case Notes:
		p.Type, p.Message, p.Repeated, p.Notes = pbMessage, camel(f.Name)+"Entry", true, true
	case Record:
		p.Type, p.Message = pbMessage, f.Type
	}
	if unit != "" && p.Doc != "" {
		p.Doc += "; " + unit
	} else if unit != "" {
		p.Doc = unit
	}
	return p
}

// enumPrefix is what the values of an enumeration begin with: protobuf keeps
// them all in one scope. RouteAction is ROUTE_ACTION_.
func enumPrefix(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(name[i-1])) || i > 0 && unicode.IsUpper(r) && i+1 < len(name) && unicode.IsLower(rune(name[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String() + "_"
}

func camel(snake string) string {
	out := ""
	for word := range strings.SplitSeq(snake, "_") {
		out += strings.ToUpper(word[:1]) + word[1:]
	}
	return out
}

func (f *protoField) typeName() string {
	switch {
	case f.Notes:
		return "map<string, string>"
	case f.Message != "":
		return f.Message
	}
	return pbNames[f.Type]
}

// protoText is the .proto file.
func protoText(m *protoSchema) []byte {
	b := &bytes.Buffer{}
	b.WriteString(generated[:len(generated)-1] + `//
// The contract between the relay and a plugin that is a process of its own. The
// process is started by the relay in the manner of hashicorp/go-plugin and
// answers one gRPC service. The relay keeps a few streams open and speaks on any
// of them: every request has a number, seq, and its answer goes back on the same
// stream, in any order. While a request is open the plugin may make calls of the
// relay on that stream; each is answered by a result.

syntax = "proto3";

package mta.v1;

service Plugin {
  rpc Serve(stream ToPlugin) returns (stream FromPlugin);
}
`)
	for _, e := range m.Enums {
		b.WriteString("\n")
		comment(b, "", e.Doc)
		fmt.Fprintf(b, "enum %s {\n", e.Name)
		for _, v := range e.Values {
			fmt.Fprintf(b, "  %s = %d;%s\n", v.Name, v.N, beside(v.Doc))
		}
		b.WriteString("}\n")
	}
	for _, msg := range m.Messages {
		b.WriteString("\n")
		comment(b, "", msg.Doc)
		fmt.Fprintf(b, "message %s {", msg.Name)
		inOneof, indent := false, "  "
		for _, f := range msg.Fields {
			if f.Oneof && !inOneof {
				fmt.Fprintf(b, "\n  oneof %s {", msg.Oneof)
				inOneof, indent = true, "    "
			}
			word := f.typeName()
			if f.Repeated && !f.Notes {
				word = "repeated " + word
			}
			doc := beside(f.Doc)
			if strings.Contains(f.Doc, "\n") {
				b.WriteString("\n")
				comment(b, indent, f.Doc)
				fmt.Fprintf(b, "%s%s %s = %d;", indent, word, f.Name, f.Number)
				continue
			}
			fmt.Fprintf(b, "\n%s%s %s = %d;%s", indent, word, f.Name, f.Number, doc)
		}
		if inOneof {
			b.WriteString("\n  }")
		}
		if len(msg.Fields) > 0 {
			b.WriteString("\n")
		}
		b.WriteString("}\n")
	}
	return b.Bytes()
}

func comment(b *bytes.Buffer, indent, doc string) {
	for line := range strings.SplitSeq(doc, "\n") {
		if doc != "" {
			b.WriteString(strings.TrimRight(indent+"// "+line, " ") + "\n")
		}
	}
}

func beside(doc string) string {
	if doc == "" || strings.Contains(doc, "\n") {
		return ""
	}
	return " // " + doc
}

// pb makes protobuf messages: those of descriptor.proto, and the samples.
type pb []byte

func (p *pb) varint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		*p = append(*p, byte(v)|0x80)
	}
	*p = append(*p, byte(v))
}

func (p *pb) int(field int, v int64) {
	p.varint(uint64(field) << 3)
	p.varint(uint64(v))
}

func (p *pb) bytes(field int, v string) {
	p.varint(uint64(field)<<3 | 2)
	p.varint(uint64(len(v)))
	*p = append(*p, v...)
}

// descriptor is the .proto as a FileDescriptorProto.
func (m *protoSchema) descriptor() []byte {
	var file pb
	file.bytes(1, "mta.proto")
	file.bytes(2, "mta.v1")
	for _, msg := range m.Messages {
		var d, nested pb
		d.bytes(1, msg.Name)
		for _, f := range msg.Fields {
			var fd pb
			fd.bytes(1, f.Name)
			fd.int(3, int64(f.Number))
			fd.int(4, map[bool]int64{false: 1, true: 3}[f.Repeated])
			fd.int(5, int64(f.Type))
			switch {
			case f.Notes:
				fd.bytes(6, ".mta.v1."+msg.Name+"."+f.Message)
				nested = entry(f.Message)
			case f.Message != "":
				fd.bytes(6, ".mta.v1."+f.Message)
			}
			if f.Oneof {
				fd.int(9, 0)
			}
			d.bytes(2, string(fd))
		}
		if len(nested) > 0 {
			d.bytes(3, string(nested))
		}
		if msg.Oneof != "" {
			var o pb
			o.bytes(1, msg.Oneof)
			d.bytes(8, string(o))
		}
		file.bytes(4, string(d))
	}
	for _, e := range m.Enums {
		var d pb
		d.bytes(1, e.Name)
		for _, v := range e.Values {
			var vd pb
			vd.bytes(1, v.Name)
			vd.int(2, int64(v.N))
			d.bytes(2, string(vd))
		}
		file.bytes(5, string(d))
	}
	var method, service pb
	method.bytes(1, "Serve")
	method.bytes(2, ".mta.v1.ToPlugin")
	method.bytes(3, ".mta.v1.FromPlugin")
	method.int(5, 1)
	method.int(6, 1)
	service.bytes(1, "Plugin")
	service.bytes(2, string(method))
	file.bytes(6, string(service))
	file.bytes(12, "proto3")
	return file
}

// entry is the message that protobuf makes of a map of strings.
func entry(name string) pb {
	var d, options pb
	d.bytes(1, name)
	for i, n := range []string{"key", "value"} {
		var fd pb
		fd.bytes(1, n)
		fd.int(3, int64(i+1))
		fd.int(4, 1)
		fd.int(5, pbString)
		d.bytes(2, string(fd))
	}
	options.int(7, 1)
	d.bytes(7, string(options))
	return d
}

const generatedPython = "# Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\n"

// pythonSchema holds the descriptor, so that Python needs no code generator,
// whatever version of protobuf it has.
func pythonSchema(m *protoSchema) []byte {
	b := &bytes.Buffer{}
	b.WriteString(generatedPython + "# mta.proto as a FileDescriptorProto.\nFILE = \"\"\"\n")
	text := base64.StdEncoding.EncodeToString(m.descriptor())
	for len(text) > 100 {
		b.WriteString(text[:100] + "\n")
		text = text[100:]
	}
	b.WriteString(text + "\n\"\"\"\n")
	return b.Bytes()
}

// pythonTypes tells editors and type checkers what the messages have.
func pythonTypes(m *protoSchema) []byte {
	b := &bytes.Buffer{}
	b.WriteString(generatedPython + "from typing import Dict, Iterable, List, Optional\n\nfrom google.protobuf.message import Message\n")
	for _, e := range m.Enums {
		b.WriteString("\n")
		for _, v := range e.Values {
			fmt.Fprintf(b, "%s: int  # %d\n", v.Name, v.N)
		}
	}
	scalars := map[int]string{pbDouble: "float", pbBool: "bool", pbString: "str", pbBytes: "bytes"}
	for _, msg := range m.Messages {
		fmt.Fprintf(b, "\nclass %s(Message):\n", msg.Name)
		args := ""
		for _, f := range msg.Fields {
			t, ok := scalars[f.Type]
			if !ok {
				t = "int"
			}
			if f.Type == pbMessage {
				t = f.Message
			}
			arg := t
			switch {
			case f.Notes:
				t, arg = "Dict[str, str]", "Dict[str, str]"
			case f.Repeated:
				t, arg = "List["+t+"]", "Iterable["+t+"]"
			}
			if f.Doc != "" {
				comment(b, "    ", f.Doc)
			}
			fmt.Fprintf(b, "    %s: %s\n", f.Name, t)
			args += fmt.Sprintf(", %s: Optional[%s] = ...", f.Name, arg)
		}
		if args != "" {
			args = ", *" + args
		}
		fmt.Fprintf(b, "    def __init__(self%s) -> None: ...\n", args)
	}
	out := bytes.ReplaceAll(b.Bytes(), []byte("    // "), []byte("    # "))
	return out
}
