// Command passback-agent is the on-premises agent alone, for production.
package main

import (
	"os"

	"passback/writeback"
)

func main() {
	os.Exit(writeback.Main(writeback.Command(), os.Args[1:], os.Stderr))
}
