;; want: mta1_buffer failed: it trapped: unreachable
(module
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) unreachable)
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
