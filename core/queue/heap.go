package queue

// dueHeap orders messages by the time at which they are due, then by ID, so that
// those that wait longest go first. It is written out, because container/heap
// costs an interface call per comparison on the path of every message.
type dueHeap []*message

func (h dueHeap) before(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].id < h[j].id
}

func (h dueHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapAt, h[j].heapAt = i, j
}

func (h dueHeap) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if !h.before(i, p) {
			return
		}
		h.swap(i, p)
		i = p
	}
}

func (h dueHeap) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h.before(c+1, c) {
			c++
		}
		if !h.before(c, i) {
			return
		}
		h.swap(i, c)
		i = c
	}
}

func (h *dueHeap) push(m *message) {
	m.heapAt = len(*h)
	*h = append(*h, m)
	h.up(m.heapAt)
}

func (h *dueHeap) remove(m *message) {
	old := *h
	i, last := m.heapAt, len(old)-1
	if i != last {
		old.swap(i, last)
	}
	old[last] = nil
	*h = old[:last]
	if i != last {
		h.fix(i)
	}
	m.heapAt = -1
}

func (h dueHeap) fix(i int) {
	h.up(i)
	h.down(i)
}
