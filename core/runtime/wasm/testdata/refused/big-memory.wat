;; want: it begins with 67108864 octets of memory, and limits.memory is 33554432
(module
  (memory (export "memory") 1024)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
