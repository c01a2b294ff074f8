;; want: build a reactor
(module
  (memory (export "memory") 2)
  (func (export "_start")))
