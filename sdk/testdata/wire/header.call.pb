
name-1