package meter_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

const text = "Received: from mail.example.org (mail.example.org [192.0.2.7])\n by mx.example.net with ESMTPS id 4dGk2T\n for <someone@example.net>; Sat, 21 Nov 2026 10:00:00 +0000\nSubject: Quarterly figures and the usual jokes\n"

// BenchmarkGuest runs the same guest as it is and metered; the difference is
// the price of fuel.
func BenchmarkGuest(b *testing.B) {
	for _, c := range []struct {
		file, name string
		n          uint64
	}{{"work", "tight", 10_000}, {"work", "sum", 10_000}, {"work", "scan", 10_000}, {"work", "fib", 15}, {"work", "sort", 200}, {"hook", "hook", 2}} {
		for _, mode := range []string{"plain", "metered"} {
			b.Run(c.name+"/"+mode, func(b *testing.B) {
				module := guest(b, c.file)
				if mode == "metered" {
					module = metered(b, module)
				}
				mod := instantiate(b, unlimited().runtime(b, wazero.NewRuntimeConfigCompiler()), module)
				for at := 0; at < 10_000; at += len(text) {
					mod.Memory().WriteString(uint32(at), text)
				}
				f := mod.ExportedFunction(c.name)
				stack := []uint64{0}
				b.ReportAllocs()
				for b.Loop() {
					stack[0] = c.n
					if err := f.CallWithStack(context.Background(), stack); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRewrite(b *testing.B) {
	module := guest(b, "work")
	b.SetBytes(int64(len(module)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := meter.Rewrite(module, meter.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
