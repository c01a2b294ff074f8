;; want: it needs what the configuration does not allow: add allow.kv = "8MiB", allow.dns = true
(module
  (import "mta1" "kv_get" (func (param i32 i32 i32 i32) (result i64)))
  (import "mta1" "lookup" (func (param i32 i32 i32 i32) (result i64)))
  (import "mta1" "now" (func (param i32 i32 i32 i32) (result i64)))
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
