// The program of the test image: one static file that does what the tests look at.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"sort"
	"strings"
	"syscall"
	"time"
)

const (
	account  = "/var/run/secrets/kubernetes.io/serviceaccount/"
	patience = 30 * time.Second
)

func main() {
	if path.Base(os.Args[0]) == "tar" {
		archive(os.Args[1:])
		return
	}
	switch os.Args[1] {
	case "serve": // answer on port 8080
		fmt.Println("serving")
		http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served by "+os.Getenv("HOSTNAME")) })
		http.HandleFunc("/zeros", zeros)
		must(http.ListenAndServe(":8080", nil))
	case "get": // print what a URL answers; a service account's token and authority where there are
		get(os.Args[2])
	case "resolve": // print the addresses of each name, in order
		for _, name := range os.Args[2:] {
			addresses, err := net.LookupHost(name)
			must(err)
			sort.Strings(addresses)
			fmt.Println(name, strings.Join(addresses, " "))
		}
	case "fqdn": // print what `hostname -f` prints
		name, err := os.Hostname()
		must(err)
		full, err := net.LookupCNAME(name)
		must(err)
		fmt.Println(strings.TrimSuffix(full, "."))
	case "write": // write a file
		must(os.WriteFile(os.Args[2], []byte(os.Args[3]), 0o644))
	default:
		streams(os.Args[1:])
	}
}

func get(url string) {
	request, err := http.NewRequest("GET", url, nil)
	must(err)
	pool := x509.NewCertPool()
	if authority, err := os.ReadFile(account + "ca.crt"); err == nil {
		pool.AppendCertsFromPEM(authority)
	}
	if token, err := os.ReadFile(account + "token"); err == nil {
		request.Header.Set("Authorization", "Bearer "+string(token))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	client := &http.Client{Timeout: 10 * time.Second, Transport: transport}
	answer, err := client.Do(request)
	// the rules of a Service come a moment after its pods are ready
	for end := time.Now().Add(patience); errors.Is(err, syscall.ECONNREFUSED) && time.Now().Before(end); answer, err = client.Do(request) {
		time.Sleep(100 * time.Millisecond)
	}
	must(err)
	fmt.Println(answer.StatusCode)
	_, err = io.Copy(os.Stdout, answer.Body)
	must(err)
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
