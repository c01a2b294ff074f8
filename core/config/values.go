package config

import (
	"encoding/json"
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
		if p.pattern() == "plugin[].source" && (scheme == "file" || scheme == "process") {
			if path := s[len(scheme)+1:]; path != "" && !filepath.IsAbs(path) {
				s = scheme + ":" + filepath.Join(d.dir, path)
			}
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
