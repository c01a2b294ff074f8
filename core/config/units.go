package config

// Size is a number of octets, written "25MiB", "512KiB", "1GiB" or as a plain
// number.
type Size int64
