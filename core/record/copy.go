package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Copy copies a recording while it is made: whole lines only, so that what was
// copied can be replayed whenever it breaks off. When it does so before its
// last line, Copy writes one that says why; err is then nil, and that of src is
// in the summary.
func Copy(dst io.Writer, src io.Reader) (Summary, error) {
	br := bufio.NewReaderSize(src, 64<<10)
	var sum Summary
	for {
		text, err := readLine(br)
		if err != nil {
			sum.Why = "broken off"
			if err != io.EOF {
				sum.Why += ": " + err.Error()
			}
			end, bad := encode(line{End: &sum})
			if bad == nil {
				_, bad = dst.Write(append(end, '\n'))
			}
			return sum, bad
		}
		if _, err := dst.Write(text); err != nil {
			return sum, fmt.Errorf("record: %w", err)
		}
		if end := endOf(text); end != nil {
			return *end, nil
		}
		if !bytes.HasPrefix(text, []byte(`{"mta_recording"`)) {
			sum.Calls++
		}
		sum.Bytes += int64(len(text))
	}
}

// endOf is the summary on the last line of a recording; nil: another line.
func endOf(text []byte) *Summary {
	if !bytes.HasPrefix(text, []byte(`{"end":`)) {
		return nil
	}
	var l line
	if json.Unmarshal(text, &l) != nil {
		return nil
	}
	return l.End
}
