;; want: a name that is reserved for the fuel counter
(module
  (global (export "mta1_fuel") (mut i64) (i64.const 0))
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
