;; want: its self-test failed: no database
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "no database")
  (func (export "mta1_selftest") (result i64) (i64.const 4400193994763))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
