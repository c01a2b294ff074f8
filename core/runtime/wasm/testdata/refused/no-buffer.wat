;; want: does not export mta1_buffer
(module
  (memory (export "memory") 2)
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
