
key-1