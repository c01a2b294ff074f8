;; want: start: it answers 0x7, which is neither 0 nor an error
(module
  (memory (export "memory") 2)
  (func (export "mta1_start") (param i32) (result i64) (i64.const 7))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
