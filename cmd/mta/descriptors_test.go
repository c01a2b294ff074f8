package main

import "testing"

func TestSessionsLeaveDescriptorsToQueueAndDelivery(t *testing.T) {
	for _, c := range []struct {
		configured  int
		descriptors uint64
		want        int
	}{
		{5000, 1 << 20, 5000},
		{5000, 1<<64 - 1, 5000}, // RLIM_INFINITY
		{5000, 13000, 5000},
		{5000, 4096, 1024},
		{5000, 1024, 256},
		{5000, 64, 16},
		{10, 64, 10},
		{5000, 0, 1},
	} {
		if got := sessionRoom(c.configured, c.descriptors); got != c.want {
			t.Errorf("%d sessions with %d descriptors: %d, want %d", c.configured, c.descriptors, got, c.want)
		}
	}
}
