// Command eventdoc writes docs/events.md, the catalogue of the events that are stored: stream, wire name, version, audience
// and fields, with what the source says of them. It reads the catalogue of package eventcodec and the source of the domain,
// and is run by go generate in internal/eventcodec.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", "../..", "directory of the module")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "eventdoc:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	page, err := render(root)
	if err != nil {
		return err
	}
	return os.WriteFile(root+"/docs/events.md", page, 0o644)
}
