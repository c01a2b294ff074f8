;; want: it was made for the version mta1.99 of the contract
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "{\"abi\":99}")
  (func (export "mta1_describe") (result i64) (i64.const 4398046511114))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
