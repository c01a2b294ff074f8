package scaffold

import (
	"context"
	"os/exec"
	"path/filepath"
)

// languages is the table of all languages, in the order in which they are
// shown.
var languages = []language{
	{name: "go", entry: "main.go", title: "Go", fuel: 100_000, source: "file:%s.wasm", build: (*Builder).golang, kit: []kit{
		{"sdk", "mta/sdk", []string{"*.go"}},
		{"sdk/wire", "mta/sdk/wire", []string{"*.go"}},
		{"sdk/serve", "mta/sdk/serve", []string{"serve.go", "*_wasip1.go"}},
		{"sdk/plugintest", "mta/sdk/plugintest", []string{"*.go"}},
	}},
	{name: "c", entry: "main.c", title: "C", fuel: 20_000, source: "file:%s.wasm", build: (*Builder).clang, kit: []kit{
		{"sdk/c", "mta", []string{"mta.h", "build.sh"}},
	}},
}

func (b *Builder) golang(ctx context.Context, dir string, p Plugin) (string, error) {
	program, err := tool("install Go from https://go.dev/dl, or the Debian package golang-go where it is recent enough", "go")
	if err != nil {
		return "", err
	}
	b.say("compiling with Go for wasip1; the first time takes half a minute")
	// A workspace around the folder would hide the SDK that lies in it.
	env := []string{"GOOS=wasip1", "GOARCH=wasm", "GOWORK=off"}
	err = b.run(ctx, dir, env, program, "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", p.Result(), ".")
	return filepath.Join(dir, p.Result()), err
}

// clangVersions are the endings of the names that Debian gives to its compilers,
// the ones to be preferred first.
var clangVersions = []string{"", "-22", "-21", "-20", "-19", "-18", "-17", "-16", "-15", "-14"}

func (b *Builder) clang(ctx context.Context, dir string, p Plugin) (string, error) {
	compiler := b.Getenv("CC")
	for _, v := range clangVersions {
		_, noClang := exec.LookPath("clang" + v)
		_, noLinker := exec.LookPath("wasm-ld" + v) // a clang without its linker cannot link
		if compiler == "" && noClang == nil && noLinker == nil {
			compiler = "clang" + v
		}
	}
	if compiler == "" {
		return "", &Missing{"clang with wasm-ld", "install the Debian packages clang-19 and lld-19 (elsewhere clang and lld), " +
			"or the npm package @yowasp/clang and set CC='npx yowasp-clang'"}
	}
	err := b.run(ctx, dir, []string{"CC=" + compiler}, "sh", "mta/build.sh", ".", p.Result())
	return filepath.Join(dir, p.Result()), err
}
