;; Every place where a function index can stand, and every kind of element segment.
(module
  (type $v (func (result i32)))
  (import "env" "ten" (func $ten (result i32)))
  (import "env" "base" (global $base i32))
  (func $a (result i32) (i32.const 1))
  (func $b (result i32) (i32.add (i32.const 20) (call $ten)))
  (func $c (result i32) (i32.const 300))
  (table $t 20 funcref)
  (table $u 20 funcref)
  (global $r funcref (ref.func $b))
  (global $m (mut i32) (i32.const 5))
  (export "a" (func $a))
  (export "ten" (func $ten))
  (elem (table $t) (global.get $base) func $a $b)                  ;; kind 0
  (elem $p1 func $c)                                               ;; kind 1
  (elem (table $u) (i32.const 0) func $ten $c)                     ;; kind 2
  (elem declare func $b $c)                                        ;; kind 3
  (elem (table $t) (i32.const 10) funcref (ref.func $c) (ref.null func)) ;; kind 4
  (elem $p5 funcref (ref.func $a) (ref.null func))                 ;; kind 5
  (elem (table $u) (i32.const 10) funcref (ref.func $ten))         ;; kind 6
  (elem declare funcref (ref.func $a))                             ;; kind 7
  (func (export "at_t") (param i32) (result i32) (call_indirect $t (type $v) (local.get 0)))
  (func (export "at_u") (param i32) (result i32) (call_indirect $u (type $v) (local.get 0)))
  (func (export "from_global") (result i32) (table.set $t (i32.const 0) (global.get $r)) (call_indirect $t (type $v) (i32.const 0)))
  (func (export "from_ref") (result i32) (table.set $t (i32.const 0) (ref.func $c)) (call_indirect $t (type $v) (i32.const 0)))
  (func (export "from_passive") (param i32) (result i32)
    (table.init $t $p1 (i32.const 5) (i32.const 0) (i32.const 1))
    (table.init $t $p5 (i32.const 6) (i32.const 0) (i32.const 1))
    (call_indirect $t (type $v) (local.get 0)))
  (func (export "set") (param i32) (global.set $m (local.get 0)))
  (func (export "get") (result i32) (global.get $m)))
