package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one key of a table, from the tags of its struct:
//
//	toml     its name in the file
//	doc      what it means
//	default  its value in each item of a list (others: Default)
//	example  a value, as TOML, for keys that have no default
//	without  what happens without it
//	need     it must be given
//	oneof    the words that may stand there
//	min, max the smallest and the largest value
//	file     a path; a relative one begins at the configuration's folder
type field struct {
	name  string
	index int
	typ   reflect.Type
	tag   reflect.StructTag
}

func fields(t reflect.Type) []field {
	var fs []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if name := sf.Tag.Get("toml"); name != "" && name != "-" {
			fs = append(fs, field{name, i, sf.Type, sf.Tag})
		}
	}
	return fs
}

func names(fs []field) []string {
	ns := make([]string, len(fs))
	for i, f := range fs {
		ns[i] = f.name
	}
	return ns
}

var (
	sizeType     = reflect.TypeFor[Size]()
	durationType = reflect.TypeFor[time.Duration]()
	addrPortType = reflect.TypeFor[netip.AddrPort]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	jsonType     = reflect.TypeFor[[]byte]()
	onErrorType  = reflect.TypeFor[OnError]()
)

// decoder fills a Config from what the TOML decoder made of the text, key by
// key, so that a fault in one hides no fault in another.
type decoder struct {
	*checker
	dir string
}

// table fills a struct.
func (d *decoder) table(p place, m map[string]any, dst reflect.Value) {
	fs := fields(dst.Type())
	for _, f := range fs {
		if def := f.tag.Get("default"); def != "" {
			var v any = def
			if n, err := strconv.ParseInt(def, 10, 64); err == nil && f.typ.Kind() == reflect.Int {
				v = n
			}
			d.value(p.child(f.name), v, f, dst.Field(f.index))
		} else if f.typ.Kind() == reflect.Struct && m[f.name] == nil && f.typ != addrPortType && f.typ != prefixType {
			d.table(p.child(f.name), nil, dst.Field(f.index))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		at := p.child(key)
		i := slices.IndexFunc(fs, func(f field) bool { return f.name == key })
		if i >= 0 {
			d.value(at, m[key], fs[i], dst.Field(fs[i].index))
		} else if instead, ok := later[at.pattern()]; ok {
			d.fault(ruleLater, at, instead)
		} else {
			d.unknown(at, key, fs)
		}
	}
	if m == nil {
		return
	}
	for _, f := range fs {
		if _, given := m[f.name]; !given && f.tag.Get("need") != "" {
			d.fault(ruleMissing, p.child(f.name), f.name+" = "+f.sample())
		}
	}
}

// unknown says what may have been meant by a key that does not exist.
func (d *decoder) unknown(p place, key string, fs []field) {
	if near := nearest(key, names(fs)); near != "" {
		d.fault(ruleUnknownNear, p, near)
		return
	}
	if homes := homes(reflect.TypeFor[Config](), "", key); len(homes) == 1 {
		d.fault(ruleElsewhere, p, homes[0])
		return
	}
	d.fault(ruleUnknown, p, anyOf(names(fs)))
}

// homes are the tables in which a key exists.
func homes(t reflect.Type, table, key string) []string {
	var found []string
	for _, f := range fields(t) {
		if f.name == key {
			found = append(found, cmp.Or(table, "the top of the file, before the first [table]"))
		}
		if table != "" || f.typ == jsonType {
			continue // the tables of tables are not worth a search
		}
		switch {
		case f.typ.Kind() == reflect.Struct && f.typ != addrPortType:
			found = append(found, homes(f.typ, "["+f.name+"]", key)...)
		case f.typ.Kind() == reflect.Slice && f.typ.Elem().Kind() == reflect.Struct && f.typ.Elem() != prefixType:
			found = append(found, homes(f.typ.Elem(), "[["+f.name+"]]", key)...)
		}
	}
	return found
}

// value fills one field of any type.
func (d *decoder) value(p place, v any, f field, dst reflect.Value) {
	switch t := f.typ; {
	case t == jsonType:
		d.json(p, v, dst)
	case t == onErrorType:
		dst.Set(reflect.ValueOf(d.onError(p, v)))
	case t.Kind() == reflect.Pointer:
		dst.Set(reflect.New(t.Elem()))
		f.typ = t.Elem()
		d.value(p, v, f, dst.Elem())
	case t.Kind() == reflect.Slice:
		d.list(p, v, f, dst)
	case t.Kind() == reflect.Struct && t != addrPortType && t != prefixType:
		if m, ok := v.(map[string]any); ok {
			d.table(p, m, dst)
		} else if _, many := tables(v); many {
			d.fault(ruleManyTables, p, f.name)
		} else {
			d.wrongType(p, v, f)
		}
	default:
		d.scalar(p, v, f, dst)
	}
}

// list fills a slice.
func (d *decoder) list(p place, v any, f field, dst reflect.Value) {
	_, isTable := v.(map[string]any)
	if isTable && f.typ.Elem().Kind() == reflect.Struct && !strings.Contains(p.key, ".") {
		d.fault(ruleOneTable, p, f.name)
		return
	}
	items, ok := v.([]any)
	if ms, many := tables(v); many {
		for _, m := range ms {
			items = append(items, m)
		}
		ok = true
	}
	if !ok {
		d.wrongType(p, v, f)
		return
	}
	out := reflect.MakeSlice(f.typ, len(items), len(items))
	f.typ = f.typ.Elem()
	for i, it := range items {
		d.value(p.item(i), it, f, out.Index(i))
	}
	dst.Set(out)
}

func tables(v any) ([]map[string]any, bool) {
	ms, ok := v.([]map[string]any)
	return ms, ok
}

func (d *decoder) wrongType(p place, v any, f field) {
	d.fault(ruleType, p, describe(v), f.wants())
}

// describe names the type of a value without showing it.
func describe(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	}
	return "a list"
}

// wants names the type of a field with an example.
func (f field) wants() string {
	switch {
	case f.typ == sizeType:
		return "a size, as in \"25MiB\""
	case f.typ == durationType:
		return "a duration, as in \"30s\""
	case f.typ == addrPortType:
		return "an address, as in \"127.0.0.1:25\""
	case f.typ == prefixType:
		return "a network, as in \"10.0.0.0/8\""
	case f.typ.Kind() == reflect.Int:
		return "a whole number, as in 1000"
	case f.typ.Kind() == reflect.Bool:
		return "true or false"
	case f.typ.Kind() == reflect.Slice:
		return fmt.Sprintf("a list, as in %s", cmp.Or(f.tag.Get("example"), "[\"5m\", \"1h\"]"))
	case f.typ.Kind() == reflect.Struct:
		return "a table"
	}
	return "a string in quotes"
}

// sample is a value that could stand there, as TOML.
func (f field) sample() string {
	if words := strings.Fields(f.tag.Get("oneof")); len(words) > 0 {
		return strconv.Quote(words[0])
	}
	example := cmp.Or(f.tag.Get("example"), cmp.Or(quoteWords(f), "\"...\""))
	if list, ok := strings.CutPrefix(example, "["); ok && f.typ.Kind() != reflect.Slice { // an item of it
		example, _, _ = strings.Cut(strings.TrimSuffix(list, "]"), ",")
	}
	return example
}
