;; want: it has no hooks at all
(module
  (memory (export "memory") 2)
  (func (export "mta1_buffer") (param i32) (result i32) (i32.const 1024)))
