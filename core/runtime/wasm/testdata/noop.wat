;; Every hook, and none does anything. It wants no fields.
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "{\"name\":\"noop\",\"hooks\":{\"rcpt\":[],\"data\":[]}}")
  (func (export "mta1_buffer") (param i32) (result i32)
    (if (result i32) (i32.le_u (local.get 0) (i32.const 65536)) (then (i32.const 65536)) (else (i32.const 0))))
  (func (export "mta1_describe") (result i64)
    (i64.or (i64.shl (i64.const 1024) (i64.const 32)) (i64.const 45)))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0))
  (func (export "mta1_on_data") (param i32) (result i64) (i64.const 0)))
