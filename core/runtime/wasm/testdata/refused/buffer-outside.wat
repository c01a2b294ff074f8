;; want: mta1_buffer answers a place outside of its memory
(module
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 131000))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
