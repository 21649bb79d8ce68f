package storetest

import (
	"os"
	"path/filepath"
	"testing"
)

// RawSync measures what the disk can do, the limit beside which a store that acknowledges what is on disk is measured: a
// write of 4 KiB and an fsync, again and again over 16 MiB of one file.
func RawSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4<<10)
	for i := 0; b.Loop(); i++ {
		if _, err := f.WriteAt(page, int64(i%4096)*int64(len(page))); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}
