;; want: made for a later contract
(module
  (memory (export "memory") 2)
  (func (export "mta2_on_rcpt") (param i32) (result i64) (i64.const 0)))
