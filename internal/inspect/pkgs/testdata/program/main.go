// Program is built by a test that reads the modules back from the executable.
package main

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/time/rate"
)

func main() {
	fmt.Println(cmp.Equal(1, 1), zstd.SpeedFastest, rate.Every(1))
}
