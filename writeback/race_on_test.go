//go:build race

package writeback

const raceDetector = true
