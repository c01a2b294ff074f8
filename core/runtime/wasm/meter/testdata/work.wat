;; Guests of the benchmarks: each export does a known amount of work.
(module
  (memory (export "memory") 2)
  ;; tight: the smallest loop there is
  (func (export "tight") (param $n i32) (result i32)
    (local $x i32)
    (loop $again
      (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
  ;; sum: a load and an add for each byte
  (func (export "sum") (param $n i32) (result i32)
    (local $i i32) (local $x i32)
    (block $done
      (loop $again
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $x (i32.add (local.get $x) (i32.load8_u (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again)))
    (local.get $x))
  ;; scan: FNV-1a of each word in lower case, counting those that are in a small hash table: what a header filter does
  (func $bucket (param $h i32) (result i32)
    (i32.load (i32.add (i32.const 65536) (i32.shl (i32.and (local.get $h) (i32.const 1023)) (i32.const 2)))))
  (func (export "scan") (param $n i32) (result i32)
    (local $i i32) (local $c i32) (local $h i32) (local $hits i32)
    (local.set $h (i32.const -2128831035))
    (block $done
      (loop $again
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $c (i32.load8_u (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (if (i32.lt_u (i32.sub (local.get $c) (i32.const 65)) (i32.const 26))
          (then (local.set $c (i32.or (local.get $c) (i32.const 32)))))
        (if (i32.or (i32.eq (local.get $c) (i32.const 32)) (i32.eq (local.get $c) (i32.const 10)))
          (then
            (if (i32.eq (call $bucket (local.get $h)) (local.get $h))
              (then (local.set $hits (i32.add (local.get $hits) (i32.const 1)))))
            (local.set $h (i32.const -2128831035)))
          (else
            (local.set $h (i32.mul (i32.xor (local.get $h) (local.get $c)) (i32.const 16777619)))))
        (br $again)))
    (local.get $hits))
  ;; fib: nothing but calls
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1)))
                     (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  ;; sort: insertion sort of n words: nested loops, loads and stores
  (func (export "sort") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $v i32)
    (local.set $i (i32.const 0))
    (loop $fill
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (i32.mul (i32.xor (local.get $i) (i32.const 0x5bd1)) (i32.const 0x9e3779b1)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $i (i32.const 1))
    (block $sorted
      (loop $outer
        (br_if $sorted (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $v (i32.load (i32.shl (local.get $i) (i32.const 2))))
        (local.set $j (local.get $i))
        (block $placed
          (loop $inner
            (br_if $placed (i32.eqz (local.get $j)))
            (br_if $placed (i32.le_u (i32.load (i32.shl (i32.sub (local.get $j) (i32.const 1)) (i32.const 2))) (local.get $v)))
            (i32.store (i32.shl (local.get $j) (i32.const 2)) (i32.load (i32.shl (i32.sub (local.get $j) (i32.const 1)) (i32.const 2))))
            (local.set $j (i32.sub (local.get $j) (i32.const 1)))
            (br $inner)))
        (i32.store (i32.shl (local.get $j) (i32.const 2)) (local.get $v))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $outer)))
    (i32.load (i32.const 0))))
