;; want: does not export memory
(module
)
