;; want: mta1_describe: it used up its fuel
(module
  (memory (export "memory") 2)
  (func (export "mta1_describe") (result i64) (loop $l (br $l)) unreachable)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
