;; want: it imports mta1.teleport, and this relay has no such call
(module
  (import "mta1" "teleport" (func))
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
