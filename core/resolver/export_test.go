package resolver

// CacheSize is the weight of the cache, for tests.
func (r *Resolver) CacheSize() uint64 {
	r.cache.CleanUp()
	return r.cache.WeightedSize()
}
