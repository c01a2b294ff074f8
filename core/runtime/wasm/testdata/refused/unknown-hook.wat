;; want: there is no hook "receipt"; the hooks are: connect
(module
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_receipt") (param i32) (result i64) (i64.const 0)))
