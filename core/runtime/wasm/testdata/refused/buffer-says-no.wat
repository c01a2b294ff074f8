;; want: it cannot take 65536 octets: mta1_buffer says no
(module
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 0))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
