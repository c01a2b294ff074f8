;; want: its export mta1_on_rcpt is a function (i32) -> i32, and has to be a function (i32) -> i64
(module
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i32) (i32.const 0)))
