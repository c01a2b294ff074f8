;; want: it describes a hook "data" and does not export mta1_on_data
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "{\"hooks\":{\"data\":[\"*\"]}}")
  (func (export "mta1_describe") (result i64) (i64.const 4398046511128))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
