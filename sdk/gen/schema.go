// Package gen derives everything that crosses a border from the Go types of the
// sdk, which are the schema: codecs, accessors of other languages, golden
// fixtures and the tables of the documentation. It reads the source, so that
// the comments come along.
//
// The rules of the schema:
//
//   - The place of a field in its struct is its slot in a block; slot + 1 is its
//     number in protobuf. Fields are only ever added at the end of a struct,
//     and never removed or given another type: sdk/testdata/wire/schema.txt
//     holds what was promised, and gen refuses to break it.
//   - A field's name outside of Go is that of its json tag.
//   - A field is a bool, an integer, a float64, a time.Time, a time.Duration, a
//     string, []byte, an enumeration of the sdk, a struct of the sdk or a
//     pointer to one, sdk.Notes, or a slice of strings, structs or enumerations.
//
// To add a field or a hook: change the struct or the table in the sdk, then run
// go generate ./sdk/... — a test names every file that is not as it would be.
package gen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// Kind is how a field is kept in a slot.
type Kind int

// The kinds.
const (
	Bool     Kind = iota // 0 or 1
	Int                  // two's complement
	Float                // IEEE 754 binary64
	Time                 // nanoseconds since 1970, UTC; 0: none
	Duration             // nanoseconds
	Enum                 // the number; Type names the enumeration
	String               // offset and length of UTF-8
	Bytes                // offset and length
	Record               // offset and number of slots; Type names the record
	Notes                // a list of strings: key, value, key, value, sorted by key
	List                 // offset and number of slots, one an element; Elem and Type say what they hold
)

// Field is one field of a record.
type Field struct {
	Slot int
	Go   string // name in Go
	Name string // name everywhere else: snake_case
	Kind Kind
	Elem Kind   // of a List
	Type string // of an Enum or Record, and of a List of them: the Go name
	GoT  string // its Go type as written: "int64", "*Session"
	Ptr  bool   // a pointer to a record
	Doc  string // one line or several
}

// RecordType is one struct.
type RecordType struct {
	ID     int // its place in Schema.Records
	Name   string
	Doc    string
	Fields []Field
}

// EnumType is one enumeration.
type EnumType struct {
	Name   string // of the Go type
	Doc    string
	Flags  bool // a set of bits
	Values []EnumValue
}

// EnumValue is one constant.
type EnumValue struct {
	Go   string // RouteUse
	Name string // use: as in JSON
	N    int
	Doc  string
}

// Hook is one row of the hook table.
type Hook struct {
	Number int // from 1, in the order of sdk.Hooks
	Info   sdk.HookInfo
	Event  *RecordType
	Answer *RecordType // nil: it only reports
	Doc    string      // of its interface in Go
}

// Call is one row of the call table.
type Call struct {
	Number int // from 1, in the order of sdk.Calls
	Info   sdk.CallInfo
	Call   *RecordType
	Result *RecordType
}

// Schema is everything that crosses a border.
type Schema struct {
	Records []*RecordType
	Enums   []*EnumType
	Hooks   []Hook
	Calls   []Call

	dir     string // of the sdk
	records map[string]*RecordType
	enums   map[string]*EnumType
}

// Record finds a record by its Go name.
func (s *Schema) Record(name string) *RecordType { return s.records[name] }

// Enum finds an enumeration by its Go name.
func (s *Schema) Enum(name string) *EnumType { return s.enums[name] }

// enumNames are the names of the values, which only the running code knows.
var enumNames = map[string]func(n int) string{
	"Action":      func(n int) string { return sdk.Action(n).String() },
	"RouteAction": func(n int) string { return sdk.RouteAction(n).String() },
	"Status":      func(n int) string { return sdk.Status(n).String() },
	"Op":          func(n int) string { return sdk.Op(n).String() },
	"DSNKind":     func(n int) string { return sdk.DSNKind(n).String() },
	"Notify":      func(n int) string { return strings.ToLower(sdk.Notify(n).String()) },
	"CallCode":    func(n int) string { return sdk.CallCode(n).String() },
}

// files of the sdk that hold the schema.
var files = []string{"envelope.go", "message.go", "answer.go", "event.go", "plugin.go", "calls.go", "hooks.go"}

// Load reads the schema from the source of the sdk in the folder dir.
func Load(dir string) (*Schema, error) {
	s := &Schema{dir: dir, records: map[string]*RecordType{}, enums: map[string]*EnumType{}}
	var specs []*ast.TypeSpec
	docs := map[string]string{}
	fset := token.NewFileSet()
	for _, name := range files {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			switch g.Tok {
			case token.TYPE:
				for _, sp := range g.Specs {
					t := sp.(*ast.TypeSpec)
					doc := t.Doc.Text()
					if doc == "" && len(g.Specs) == 1 {
						doc = g.Doc.Text()
					}
					docs[t.Name.Name] = strings.TrimSpace(doc)
					specs = append(specs, t)
				}
			case token.CONST:
				s.constants(g)
			}
		}
	}
	for _, e := range s.Enums {
		e.Doc = docs[e.Name]
	}
	var structs []*ast.TypeSpec
	for _, t := range specs {
		if _, ok := t.Type.(*ast.StructType); ok && crosses(t.Name.Name) {
			r := &RecordType{ID: len(s.Records), Name: t.Name.Name, Doc: docs[t.Name.Name]}
			s.Records = append(s.Records, r)
			s.records[r.Name] = r
			structs = append(structs, t)
		}
	}
	for i, t := range structs {
		if err := s.fields(s.Records[i], t.Type.(*ast.StructType)); err != nil {
			return nil, fmt.Errorf("gen: %s: %w", t.Name.Name, err)
		}
	}
	return s, s.tables(docs)
}

// crosses tells which structs of the sdk are records: all but those that only
// Go plugins see.
func crosses(name string) bool {
	switch name {
	case "Handlers", "HookInfo", "CallInfo", "GrantInfo", "Description", "SendOptions", "DNSError", "CallError", "None":
		return false
	}
	return ast.IsExported(name)
}

// constants collects the enumerations: typed constants of the types that have
// names.
func (s *Schema) constants(g *ast.GenDecl) {
	var typ, expr string
	for i, sp := range g.Specs {
		v := sp.(*ast.ValueSpec)
		if v.Type != nil {
			typ = v.Type.(*ast.Ident).Name
		} else if len(v.Values) > 0 {
			typ = ""
		}
		if len(v.Values) > 0 {
			expr = text(v.Values[0])
		}
		if enumNames[typ] == nil {
			continue
		}
		e := s.enums[typ]
		if e == nil {
			e = &EnumType{Name: typ}
			s.enums[typ] = e
			s.Enums = append(s.Enums, e)
		}
		n := i
		switch expr {
		case "iota":
		case "1+iota":
			n = 1 + i
		case "1<<iota":
			n = 1 << i
			e.Flags = true
		default:
			continue
		}
		e.Values = append(e.Values, EnumValue{Go: v.Names[0].Name, Name: enumNames[typ](n), N: n, Doc: strings.TrimSpace(v.Comment.Text())})
	}
}

func text(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.BasicLit:
		return x.Value
	case *ast.BinaryExpr:
		return text(x.X) + x.Op.String() + text(x.Y)
	case *ast.StarExpr:
		return "*" + text(x.X)
	case *ast.ArrayType:
		return "[]" + text(x.Elt)
	case *ast.SelectorExpr:
		return text(x.X) + "." + x.Sel.Name
	}
	return fmt.Sprintf("%T", e)
}

func (s *Schema) fields(r *RecordType, st *ast.StructType) error {
	for _, f := range st.Fields.List {
		for _, id := range f.Names {
			if !id.IsExported() {
				continue
			}
			fl := Field{Slot: len(r.Fields), Go: id.Name, GoT: text(f.Type), Doc: doc(f)}
			if f.Tag == nil {
				return fmt.Errorf("field %s has no json tag, which is its name in other languages", id.Name)
			}
			tag, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				return err
			}
			fl.Name, _, _ = strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			if fl.Name == "" {
				return fmt.Errorf("field %s has no json name", id.Name)
			}
			if err := s.kind(&fl); err != nil {
				return err
			}
			r.Fields = append(r.Fields, fl)
		}
	}
	if len(r.Fields) > 64 {
		return fmt.Errorf("has %d fields: a mask of 64 bits says which are wanted", len(r.Fields))
	}
	return nil
}

// doc is the comment above a field, or the one beside it.
func doc(f *ast.Field) string {
	if d := strings.TrimSpace(f.Doc.Text()); d != "" {
		return d
	}
	return strings.TrimSpace(f.Comment.Text())
}

var scalars = map[string]Kind{"bool": Bool, "int": Int, "int64": Int, "float64": Float, "time.Time": Time, "time.Duration": Duration,
	"string": String, "[]byte": Bytes, "Notes": Notes}

func (s *Schema) kind(f *Field) error {
	t := f.GoT
	if k, ok := scalars[t]; ok {
		f.Kind = k
		return nil
	}
	f.Kind = Record
	if elem, ok := strings.CutPrefix(t, "[]"); ok {
		f.Kind, t = List, elem
		if t == "string" {
			f.Elem = String
			return nil
		}
		f.Elem = Record
	} else if elem, ok := strings.CutPrefix(t, "*"); ok {
		f.Ptr, t = true, elem
	}
	switch {
	case s.records[t] != nil:
	case s.enums[t] != nil && f.Kind == List:
		f.Elem = Enum
	case s.enums[t] != nil:
		f.Kind = Enum
	default:
		return fmt.Errorf("field %s: a %s cannot cross the border; see the rules of package gen", f.Go, f.GoT)
	}
	f.Type = t
	return nil
}

// tables joins the records with the tables of hooks and calls, by their names.
func (s *Schema) tables(docs map[string]string) error {
	answers := map[string]string{"route": "RouteAnswer", "deliver": "DeliverAnswer", "outcome": "OutcomeAnswer", "bounce": "BounceAnswer", "disconnect": ""}
	for i, h := range sdk.Hooks() {
		answer, own := answers[h.Name]
		if !own {
			answer = "Answer"
		}
		title := strings.ToUpper(h.Name[:1]) + h.Name[1:]
		row := Hook{Number: i + 1, Info: h, Event: s.records[title+"Event"], Answer: s.records[answer], Doc: docs[title+"Hook"]}
		if row.Event == nil || answer != "" && row.Answer == nil {
			return fmt.Errorf("gen: hook %s: there is no %sEvent, or no %s", h.Name, title, answer)
		}
		s.Hooks = append(s.Hooks, row)
	}
	byName := map[string]string{}
	for name := range s.records {
		if base, ok := strings.CutSuffix(name, "Call"); ok {
			byName[snake(base)] = base
		}
	}
	for i, c := range sdk.Calls() {
		base := byName[c.Name]
		row := Call{Number: i + 1, Info: c, Call: s.records[base+"Call"], Result: s.records[base+"Result"]}
		if row.Call == nil || row.Result == nil {
			return fmt.Errorf("gen: call %s: there is no %sCall, or no %sResult", c.Name, base, base)
		}
		s.Calls = append(s.Calls, row)
	}
	return nil
}

// snake turns the Go name of a call into its own: KVGet is kv_get.
func snake(s string) string {
	switch s {
	case "MX":
		return "mx"
	case "HTTP":
		return "http"
	}
	if rest, ok := strings.CutPrefix(s, "KV"); ok {
		return "kv_" + strings.ToLower(rest)
	}
	return strings.ToLower(s)
}
