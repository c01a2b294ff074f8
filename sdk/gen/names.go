package gen

import (
	"fmt"
	"strings"
	"unicode"
)

// snaked is a Go name as other languages write it: KVGetResult is
// kv_get_result.
func snaked(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		if unicode.IsUpper(c) && i > 0 && (!unicode.IsUpper(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// cameled is a Go name as Rust writes it: KVGetResult is KvGetResult.
func cameled(name string) string {
	var b strings.Builder
	for w := range strings.SplitSeq(snaked(name), "_") {
		b.WriteString(title(w))
	}
	return b.String()
}

// ordered are the records, each behind those that it holds.
func (s *Schema) ordered() []*RecordType {
	var out []*RecordType
	done := map[string]bool{}
	var visit func(r *RecordType)
	visit = func(r *RecordType) {
		if done[r.Name] {
			return
		}
		done[r.Name] = true
		for _, f := range r.Fields {
			if s.records[f.Type] != nil {
				visit(s.records[f.Type])
			}
		}
		out = append(out, r)
	}
	for _, r := range s.Records {
		visit(r)
	}
	return out
}

// ways tells which records a guest reads and which it writes.
func (s *Schema) ways() (read, written map[string]bool) {
	read, written = map[string]bool{}, map[string]bool{}
	var mark func(r *RecordType, in map[string]bool)
	mark = func(r *RecordType, in map[string]bool) {
		if r == nil || in[r.Name] {
			return
		}
		in[r.Name] = true
		for _, f := range r.Fields {
			mark(s.records[f.Type], in)
		}
	}
	for _, h := range s.Hooks {
		mark(h.Event, read)
		mark(h.Answer, written)
	}
	for _, c := range s.Calls {
		mark(c.Call, written)
		mark(c.Result, read)
	}
	return read, written
}

// listed are the records of which there are lists.
func (s *Schema) listed() (map[string]bool, error) {
	out := map[string]bool{}
	for _, r := range s.Records {
		for _, f := range r.Fields {
			if f.Kind != List {
				continue
			}
			if f.Elem == Enum {
				return nil, fmt.Errorf("gen: %s.%s: the guest libraries in C and Rust know no lists of enumerations: put the number into a record", r.Name, f.Go)
			}
			if f.Elem == Record {
				out[f.Type] = true
			}
		}
	}
	return out, nil
}

func oneLine(doc string) string { return strings.Join(strings.Fields(doc), " ") }
