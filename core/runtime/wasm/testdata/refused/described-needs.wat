;; want: it needs what the configuration does not allow: add allow.http = ["api.example.net:443"]
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "{\"needs\":[\"http\"]}")
  (func (export "mta1_describe") (result i64) (i64.const 4398046511122))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
