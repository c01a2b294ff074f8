;; want: start: colour: there is no such thing
(module
  (memory (export "memory") 2)
  (data (i32.const 512) "colour: there is no such thing")
  (func (export "mta1_start") (param i32) (result i64) (i64.const 2201170739230))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
