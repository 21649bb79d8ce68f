package postgres

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// The binary formats of values, arrays and COPY are those of PostgreSQL's documentation (COPY, "Binary Format") and of its
// functions array_send, int8send, timestamptz_send: big-endian, each value behind its length, −1 for NULL.

// epochMicros is 2000-01-01 UTC, from which timestamps count, in microseconds since 1970.
const epochMicros = 946_684_800_000_000

// Object ids of the types, from pg_type.dat.
const (
	oidBool        = 16
	oidInt8        = 20
	oidText        = 25
	oidTimestamptz = 1184
)

// appendValue appends the field of a row, behind its length.
func appendValue(b []byte, f *readstore.Field, row unsafe.Pointer) []byte {
	switch f.Kind() {
	case readstore.IsText:
		if text, ok := f.Text(row); ok {
			return appendText(b, text)
		}
	case readstore.IsTime:
		if micros, ok := f.Time(row); ok {
			return appendInt8(b, micros-epochMicros)
		}
	case readstore.IsBool:
		if n, ok := f.Int(row); ok {
			return append(b, 0, 0, 0, 1, byte(n))
		}
	default:
		if n, ok := f.Int(row); ok {
			return appendInt8(b, n)
		}
	}
	return append(b, 0xff, 0xff, 0xff, 0xff)
}

func appendInt8(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), uint64(n))
}

// appendText appends text that the server can hold: without NUL, and valid.
func appendText(b []byte, text string) []byte {
	if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
		text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// array is one column of all rows.
func array(f *readstore.Field, rows []unsafe.Pointer) []byte {
	oid := uint32(oidInt8)
	switch f.Kind() {
	case readstore.IsText:
		oid = oidText
	case readstore.IsBool:
		oid = oidBool
	case readstore.IsTime:
		oid = oidTimestamptz
	}
	b := arrayHeader(make([]byte, 0, 20+12*len(rows)), oid, len(rows))
	for _, row := range rows {
		b = appendValue(b, f, row)
	}
	return b
}

// arrayHeader begins an array of one dimension, which may hold NULLs and whose first index is 1.
func arrayHeader(b []byte, oid uint32, n int) []byte {
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, oid)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return binary.BigEndian.AppendUint32(b, 1)
}

// copyHeader begins what COPY reads: the signature, no flags, no extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copied is all rows as COPY reads them.
func copied(fields []readstore.Field, rows []unsafe.Pointer) []byte {
	b := append(make([]byte, 0, len(copyHeader)+len(rows)*(2+16*len(fields))), copyHeader...)
	for _, row := range rows {
		b = binary.BigEndian.AppendUint16(b, uint16(len(fields)))
		for i := range fields {
			b = appendValue(b, &fields[i], row)
		}
	}
	return append(b, 0xff, 0xff)
}
