;; want: mta1_describe: 7
(module
  (import "mta1" "log" (func $log (param i32 i32 i32 i32) (result i64)))
  (memory (export "memory") 2)
  (data (i32.const 1024) "0")
  (func (export "mta1_describe") (result i64)
    ;; The code of the call as a digit, in an error.
    (i32.store8 (i32.const 1024) (i32.add (i32.const 48)
      (i32.wrap_i64 (i64.shr_u (call $log (i32.const 0) (i32.const 0) (i32.const 2048) (i32.const 1024)) (i64.const 32)))))
    (i64.const 4400193994753))
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "mta1_on_rcpt") (param i32) (result i64) (i64.const 0)))
