
kind-1name-2