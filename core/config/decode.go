package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
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
			found = append(found, cmpOr(table, "the top of the file, before the first [table]"))
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

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
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

// scalar fills a field that has one value.
func (d *decoder) scalar(p place, v any, f field, dst reflect.Value) {
	s, isString := v.(string)
	n, isInt := v.(int64)
	switch {
	case f.typ == sizeType && (isString || isInt):
		if isString {
			size, err := ParseSize(s)
			if err != nil {
				d.badSize(p, s)
				return
			}
			n = int64(size)
		}
		if d.inRange(p, f, n, func(x int64) string { return Size(x).String() }) {
			dst.SetInt(n)
		}
	case f.typ == durationType && isInt:
		d.fault(ruleDurationNumber, p, n)
	case f.typ == durationType && isString:
		t, err := ParseDuration(s)
		if err != nil {
			d.fault(ruleDuration, p, show(s))
		} else if d.inRange(p, f, int64(t), func(x int64) string { return FormatDuration(time.Duration(x)) }) {
			dst.SetInt(int64(t))
		}
	case f.typ == addrPortType && isString:
		d.addrPort(p, s, f, dst)
	case f.typ == prefixType && isString:
		d.prefix(p, s, dst)
	case f.typ.Kind() == reflect.Int && isInt:
		if d.inRange(p, f, n, func(x int64) string { return strconv.FormatInt(x, 10) }) {
			dst.SetInt(n)
		}
	case f.typ.Kind() == reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			d.wrongType(p, v, f)
			return
		}
		dst.SetBool(b)
	case f.typ.Kind() == reflect.String && isString:
		d.text(p, s, f, dst)
	default:
		d.wrongType(p, v, f)
	}
}

func (d *decoder) text(p place, s string, f field, dst reflect.Value) {
	words := strings.Fields(f.tag.Get("oneof"))
	scheme, _, _ := strings.Cut(s, ":")
	switch instead, ok := laterValues[p.pattern()][scheme]; {
	case ok:
		d.fault(ruleLaterValue, p, scheme, instead)
	case s == "":
		d.fault(ruleEmpty, p, f.sample())
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		d.fault(ruleControl, p)
	case len(words) > 0 && !slices.Contains(words, s):
		d.fault(ruleWord, p, show(s), anyOf(words))
	default:
		if f.tag.Get("file") != "" && !filepath.IsAbs(s) {
			s = filepath.Join(d.dir, s)
		}
		dst.SetString(s)
	}
}

// badSize tells MB from MiB, which is what most people mean by it.
func (d *decoder) badSize(p place, s string) {
	digits, unit := number(s)
	for _, u := range []string{"K", "M", "G", "T"} {
		if unit = strings.TrimSpace(unit); digits != "" && (strings.EqualFold(unit, u) || strings.EqualFold(unit, u+"B")) {
			d.fault(ruleSizeUnit, p, show(s), strconv.Quote(digits+u+"iB"))
			return
		}
	}
	d.fault(ruleSize, p, show(s))
}

// inRange checks the tags min and max; without a min it is 0.
func (d *decoder) inRange(p place, f field, n int64, format func(int64) string) bool {
	least, most := bound(f, "min", 0), bound(f, "max", math.MaxInt64)
	switch {
	case n < least:
		d.fault(ruleSmall, p, format(n), format(least))
	case n > most:
		d.fault(ruleLarge, p, format(n), format(most))
	default:
		return true
	}
	return false
}

func bound(f field, tag string, without int64) int64 {
	s := f.tag.Get(tag)
	if s == "" {
		return without
	}
	if f.typ == durationType {
		t, _ := ParseDuration(s)
		return int64(t)
	}
	n, _ := ParseSize(s)
	return int64(n)
}

func (d *decoder) addrPort(p place, s string, f field, dst reflect.Value) {
	ap, err := netip.ParseAddrPort(s)
	if err == nil {
		dst.Set(reflect.ValueOf(netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())))
		return
	}
	port := "25"
	if p.pattern() == "resolver.servers[]" {
		port = "53"
	} else if p.key == "metrics.address" {
		port = "9525"
	}
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		d.fault(ruleAddressPort, p, show(s), strconv.Quote(net.JoinHostPort(ip.String(), port)))
		return
	}
	if host, num, ok := strings.Cut(s, ":"); ok && !strings.ContainsAny(host, "[]") {
		_, err := strconv.ParseUint(num, 10, 16)
		if _, notIP := netip.ParseAddr(host); err == nil && notIP != nil {
			d.fault(ruleAddressName, p, show(s), strconv.Quote("127.0.0.1:"+num))
			return
		}
	}
	d.fault(ruleAddress, p, show(s))
}

// prefix takes a network, or one address as a network of one.
func (d *decoder) prefix(p place, s string, dst reflect.Value) {
	pre, err := netip.ParsePrefix(s)
	if ip, e := netip.ParseAddr(s); e == nil && ip.Zone() == "" {
		pre, err = netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	switch {
	case err != nil:
		d.fault(rulePrefix, p, show(s))
	case pre.Addr().Is4In6():
		// Such a prefix never matches a peer, whose address is unmapped; and
		// ::ffff:0:0/96 would be all of IPv4.
		d.fault(ruleMapped, p, show(s))
	case pre.Masked() != pre:
		d.fault(rulePrefixBits, p, show(s), strconv.Quote(pre.Masked().String()))
	default:
		dst.Set(reflect.ValueOf(pre))
	}
}

// json turns a plugin's table into what sdk.Plugin.Start takes. What TOML has
// and JSON has not is refused rather than bent.
func (d *decoder) json(p place, v any, dst reflect.Value) {
	m, ok := v.(map[string]any)
	if !ok {
		d.fault(ruleType, p, describe(v), "a table, as in {key = \"value\"}")
		return
	}
	before := len(d.faults)
	d.plainJSON(p, m)
	if len(d.faults) > before {
		return
	}
	b, err := json.Marshal(m)
	if err != nil { // nothing that TOML has is left
		d.fault(ruleType, p, "not fit for JSON", "a table, as in {key = \"value\"}")
		return
	}
	dst.SetBytes(b)
}

func (d *decoder) plainJSON(p place, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			d.plainJSON(p.child(k), x)
		}
	case []map[string]any:
		for i, x := range v {
			d.plainJSON(p.item(i), x)
		}
	case []any:
		for i, x := range v {
			d.plainJSON(p.item(i), x)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			d.fault(ruleNumber, p)
		}
	case time.Time:
		d.fault(ruleDate, p)
	}
}

// onError takes one word for all hooks, or a table by hook.
func (d *decoder) onError(p place, v any) OnError {
	out := OnError{}
	switch v := v.(type) {
	case string:
		if a, ok := d.failure(p, v, "a plugin", []sdk.Action{sdk.Defer, sdk.Continue, sdk.Reject, sdk.Hold, sdk.Disconnect}); ok {
			out[EveryHook] = a
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			d.onErrorOf(p.child(key), key, v[key], out)
		}
	default:
		d.fault(ruleType, p, describe(v), "a string, as in \"defer\", or a table by hook, as in {rcpt = \"continue\"}")
	}
	return out
}

func (d *decoder) onErrorOf(p place, hook string, v any, out OnError) {
	all := sdk.Hooks()
	i := slices.IndexFunc(all, func(h sdk.HookInfo) bool { return h.Name == hook })
	word, isString := v.(string)
	switch {
	case i < 0:
		d.fault(ruleOnErrorHook, p, hookHint(hook))
	case all[i].Reports:
		d.fault(ruleOnErrorReports, p)
	case !isString:
		d.fault(ruleType, p, describe(v), "a string, as in \"defer\"")
	default:
		if a, known := sdk.ParseAction(word); all[i].Queue && known && a != sdk.Defer && a != sdk.Hold {
			d.fault(ruleOnErrorQueue, p, show(word), hook)
		} else if a, ok := d.failure(p, word, hook, failures(all[i])); ok {
			out[hook] = a
		}
	}
}

func (d *decoder) failure(p place, word, what string, allowed []sdk.Action) (sdk.Action, bool) {
	a, ok := sdk.ParseAction(word)
	if ok && slices.Contains(allowed, a) {
		return a, true
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = a.String()
	}
	d.fault(ruleOnError, p, show(word), what, anyOf(words))
	return 0, false
}

// failures are the actions that a hook can take when its plugin fails.
func failures(h sdk.HookInfo) []sdk.Action {
	switch {
	case h.Reports:
		return nil
	case h.Queue: // a broken plugin never bounces and never deletes mail
		return []sdk.Action{sdk.Defer, sdk.Hold}
	}
	able := []sdk.Action{sdk.Defer, sdk.Continue}
	for _, a := range []sdk.Action{sdk.Reject, sdk.Hold, sdk.Disconnect} {
		if slices.Contains(h.Actions, a) {
			able = append(able, a)
		}
	}
	return able
}

func hookHint(word string) string {
	var all []string
	for _, h := range sdk.Hooks() {
		all = append(all, h.Name)
	}
	if near := nearest(word, all); near != "" {
		return "did you mean " + near + "?"
	}
	return "there are " + strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
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
		return fmt.Sprintf("a list, as in %s", cmpOr(f.tag.Get("example"), "[\"5m\", \"1h\"]"))
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
	example := cmpOr(f.tag.Get("example"), cmpOr(quoteWords(f), "\"...\""))
	if list, ok := strings.CutPrefix(example, "["); ok && f.typ.Kind() != reflect.Slice { // an item of it
		example, _, _ = strings.Cut(strings.TrimSuffix(list, "]"), ",")
	}
	return example
}
