// What tests of streams between a user and a container need: something that talks, listens, ends, and tar for `cp`.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"time"
)

// streams does what the first argument says.
func streams(arguments []string) {
	switch arguments[0] {
	case "say": // print a line, and one to the other output
		fmt.Println(arguments[1])
		fmt.Fprintln(os.Stderr, arguments[1]+" to stderr")
	case "echo": // say what it hears
		_, err := io.Copy(os.Stdout, os.Stdin)
		must(err)
	case "sum": // say how much it heard and what that sums up to, then end with a code
		hash := sha256.New()
		count, err := io.Copy(hash, os.Stdin)
		must(err)
		fmt.Printf("%d %x\n", count, hash.Sum(nil))
		os.Exit(number(arguments[1]))
	case "produce": // print so many zero bytes
		block := make([]byte, 1<<20)
		for left := number(arguments[1]); left > 0; {
			written, err := os.Stdout.Write(block[:min(left, len(block))])
			must(err)
			left -= written
		}
	case "lines": // print so many lines, then end
		for line := 1; line <= number(arguments[1]); line++ {
			fmt.Println("line", line)
		}
	case "tick": // print a line again and again until a file is there, then end
		for line := 1; ; line++ {
			fmt.Println("tick", line)
			if _, err := os.Stat(arguments[1]); err == nil {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	case "twice": // end in the first run, which a file remembers; stay in the second one
		if _, err := os.Stat(arguments[1]); err != nil {
			fmt.Println("first run")
			must(os.WriteFile(arguments[1], nil, 0o644))
			os.Exit(3)
		}
		fmt.Println("second run")
		time.Sleep(1 << 62)
	}
}

// zeros answers as many zero bytes as the query says.
func zeros(w http.ResponseWriter, r *http.Request) {
	count := number(r.URL.RawQuery)
	w.Header().Set("Content-Length", r.URL.RawQuery)
	block := make([]byte, 1<<20)
	for left := count; left > 0; {
		written, err := w.Write(block[:min(left, len(block))])
		if err != nil {
			return
		}
		left -= written
	}
}

// archive is as much of tar as `kubectl cp` asks for: `cf - FILE` and `-xmf - -C FOLDER`.
func archive(arguments []string) {
	if arguments[0] == "cf" {
		content, err := os.Open(arguments[2])
		must(err)
		info, err := content.Stat()
		must(err)
		header, err := tar.FileInfoHeader(info, "")
		must(err)
		header.Name = arguments[2][1:]
		writer := tar.NewWriter(os.Stdout)
		must(writer.WriteHeader(header))
		_, err = io.Copy(writer, content)
		must(err)
		must(writer.Close())
		return
	}
	folder := arguments[len(arguments)-1]
	reader := tar.NewReader(os.Stdin)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		must(err)
		file, err := os.Create(path.Join(folder, header.Name))
		must(err)
		_, err = io.Copy(file, reader)
		must(err)
		must(file.Close())
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}
