
domain-1