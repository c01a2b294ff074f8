;; Tries to grow its table by a million elements, which do not lie in its memory.
(module
  (memory (export "memory") 2)
  (table 1 funcref)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 65536))
  (func (export "mta1_on_rcpt") (param i32) (result i64)
    (if (i32.ne (table.grow 0 (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))
    (i64.const 0)))
