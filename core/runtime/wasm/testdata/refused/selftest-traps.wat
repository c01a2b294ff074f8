;; want: its self-test failed: it trapped: unreachable
(module
  (memory (export "memory") 2)
  (func (export "mta1_selftest") (result i64) unreachable)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
