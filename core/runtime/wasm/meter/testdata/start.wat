;; A start function that runs before the host can set anything, and one that counts.
(module
  (global $g (export "g") (mut i32) (i32.const 0))
  (func $begin (local $i i32)
    (loop $l
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
  (start $begin))
