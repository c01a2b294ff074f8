package wasm

import (
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk/wire"
)

// prepareAll makes the functions of all hooks before the first is called, so that
// no message pays for it.
func (e *engine) prepareAll() error {
	for number, hook := range hookNames() {
		if _, has := e.in.p.about.Description.Hooks[hook]; !has {
			continue
		}
		var err error
		if e.hooks[number+1], err = e.prepare(number + 1); err != nil {
			return err
		}
	}
	return nil
}

// prepare lets the prelude make the function for a hook.
func (e *engine) prepare(number int) (*scriptHook, error) {
	hook := hookNames()[number-1]
	paths, whole := eagerFields(hook, e.in.p.about.Description.Hooks[hook])
	h := &scriptHook{number: number, words: wordsAction}
	switch {
	case number == wire.HookRoute:
		h.words = wordsRoute
	case number > wire.HookRoute:
		h.words = -1
	}
	for _, p := range paths {
		h.eager = append(h.eager, slotsOf(hook, p))
	}
	var args []uint64
	for _, text := range []string{hook, strings.Join(paths, ","), strings.Join(whole, ",")} {
		p, err := e.text(text)
		if err != nil {
			return nil, err
		}
		v, err := e.do("JS_NewStringLen", e.ctx, p, uint64(len(text)))
		if err != nil {
			return nil, err
		}
		if _, err := e.do("wasm_free", p); err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	var err error
	if h.f, err = e.apply(e.values["on"], args...); err == nil {
		h.encode, err = e.apply(e.values["answer"], args[0])
	}
	return h, err
}

// eagerFields are the strings among the fields that a plugin has named, when
// they are few; and the records of which it has named nothing else.
func eagerFields(hook string, fields []string) (paths, whole []string) {
	others := map[string]bool{}
	for _, f := range fields {
		record, rest := eventRecord(hook), f
		at := ""
		for {
			name, deeper, more := strings.Cut(rest, ".")
			i := slices.IndexFunc(wire.Tables[record].Fields, func(x wire.FieldInfo) bool { return x.Name == name })
			if i < 0 {
				return nil, nil // "*", or it was refused already
			}
			x := wire.Tables[record].Fields[i]
			single := x.Record >= 0 && !strings.HasPrefix(x.Type, "list of ")
			if more && single {
				at = strings.TrimPrefix(at+"."+name, ".")
				record, rest = x.Record, deeper
				continue
			}
			switch {
			case !more && x.Type == "string":
				if !slices.Contains(paths, f) {
					paths = append(paths, f)
				}
			case !more && single:
				others[strings.TrimPrefix(at+"."+name, ".")] = true
			}
			if more || x.Type != "string" {
				others[at] = true
			}
			break
		}
	}
	if len(paths) > maxEager {
		return nil, nil
	}
	for _, p := range paths {
		for at, _ := cutLast(p); at != ""; at, _ = cutLast(at) {
			if !others[at] && !slices.Contains(whole, at) && !deeperThan(fields, at) {
				whole = append(whole, at)
			}
		}
	}
	return paths, whole
}

func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// deeperThan tells whether there are fields in records below that at a path.
func deeperThan(fields []string, at string) bool {
	return slices.ContainsFunc(fields, func(f string) bool {
		rest, ok := strings.CutPrefix(f, at+".")
		return ok && strings.Contains(rest, ".")
	})
}

// slotsOf are the slots on the way to a field.
func slotsOf(hook, path string) (slots []uint32) {
	record := eventRecord(hook)
	for name := range strings.SplitSeq(path, ".") {
		i := slices.IndexFunc(wire.Tables[record].Fields, func(x wire.FieldInfo) bool { return x.Name == name })
		slots = append(slots, uint32(i))
		record = wire.Tables[record].Fields[i].Record
	}
	return slots
}

// eventRecord is the place of a hook's event in [wire.Tables].
func eventRecord(hook string) int {
	name := strings.ToUpper(hook[:1]) + hook[1:] + "Event"
	return slices.IndexFunc(wire.Tables[:], func(r wire.RecordInfo) bool { return r.Name == name })
}
