//go:build !race

package smtpin

const raceDetector = false
