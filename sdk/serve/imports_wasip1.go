package serve

import "unsafe"

// The calls of sdk.Calls, as modules import them.

//go:wasmimport mta1 rest
func importRest(result unsafe.Pointer, room uint32) uint32

//go:wasmimport mta1 log
func importLog(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 now
func importNow(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 random
func importRandom(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 metric
func importMetric(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 kv_get
func importKVGet(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 kv_set
func importKVSet(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 kv_swap
func importKVSwap(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 kv_add
func importKVAdd(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 kv_delete
func importKVDelete(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 lookup
func importLookup(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 mx
func importMX(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 http
func importHTTP(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 read
func importRead(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

//go:wasmimport mta1 send
func importSend(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64
