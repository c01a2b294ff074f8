package scaffold

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// languages is the table of all languages, in the order in which they are
// shown.
var languages = []language{
	{name: "go", entry: "main.go", title: "Go", fuel: 1_000_000, source: "file:%s.wasm", build: (*Builder).golang, kit: []kit{
		{"sdk", "mta", []string{"README.md"}},
		{"sdk", "mta/sdk", []string{"*.go"}},
		{"sdk/wire", "mta/sdk/wire", []string{"*.go"}},
		{"sdk/serve", "mta/sdk/serve", []string{"serve.go", "*_wasip1.go"}},
		{"sdk/plugintest", "mta/sdk/plugintest", []string{"*.go"}},
	}},
	{name: "rust", entry: "plugin/plugin.rs", title: "Rust", fuel: 20_000, source: "file:%s.wasm", build: (*Builder).rust, kit: []kit{
		{"sdk/rust", "mta", []string{"README.md", "Cargo.toml", "build.sh"}},
		{"sdk/rust/src", "mta/src", []string{"*.rs"}},
	}},
	{name: "c", entry: "main.c", title: "C", fuel: 20_000, source: "file:%s.wasm", build: (*Builder).clang, kit: []kit{
		{"sdk/c", "mta", []string{"README.md", "mta.h", "build.sh"}},
	}},
	{name: "ts", entry: "index.ts", title: "AssemblyScript", fuel: 50_000, source: "file:%s.wasm", build: (*Builder).assemblyScript, kit: []kit{
		{"sdk/assemblyscript", "mta", []string{"README.md"}},
		{"sdk/assemblyscript/assembly", "mta/assembly", []string{"*.ts"}},
	}},
	{name: "js", entry: "plugin.js", title: "JavaScript", fuel: 500_000, source: "file:%s.wasm", build: (*Builder).javaScript, kit: []kit{
		{"sdk/js", "mta", []string{"README.md", "mta.js", "mta.d.ts"}},
	}},
	{name: "python", entry: "plugin.py", title: "Python", source: "process:plugin.py", build: (*Builder).python, kit: []kit{
		{"sdk/python", "mta_plugin", []string{"README.md"}},
		{"sdk/python/mta_plugin", "mta_plugin", []string{"*.py", "*.pyi"}},
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

func (b *Builder) rust(ctx context.Context, dir string, p Plugin) (string, error) {
	compiler := b.Getenv("RUSTC")
	for _, c := range []string{"rustc", "/usr/bin/rustc"} { // rustup's comes first in PATH, and may lack the target
		if _, err := exec.LookPath(c); compiler == "" && err == nil && b.knowsWasm(ctx, c) {
			compiler = c
		}
	}
	if compiler == "" {
		return "", &Missing{"a Rust compiler for wasm32-unknown-unknown", "run rustup target add wasm32-unknown-unknown, " +
			"or install the Debian packages rustc, libstd-rust-dev-wasm32 and the lld of its LLVM (lld-14 in Debian 12)"}
	}
	if crate := foreignCrate(filepath.Join(dir, "Cargo.toml")); crate != "" {
		const target = "target/wasm32-unknown-unknown/release/"
		return "", fmt.Errorf("the file Cargo.toml names the crate %s, and only cargo can fetch it: run cargo build --release --target wasm32-unknown-unknown, then mta plugin verify %s%s.wasm",
			crate, target, strings.ReplaceAll(p.Name, "-", "_"))
	}
	err := b.run(ctx, dir, []string{"RUSTC=" + compiler}, "sh", "mta/build.sh", filepath.Dir(p.Entry), p.Result())
	return filepath.Join(dir, p.Result()), err
}

// foreignCrate is a dependency that does not lie in the folder.
func foreignCrate(manifest string) string {
	text, _ := os.ReadFile(manifest) // without it there are no dependencies
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = line == "[dependencies]"
			if crate, ok := strings.CutPrefix(line, "[dependencies."); ok {
				return strings.TrimSuffix(crate, "]")
			}
			continue
		}
		if crate, _, ok := strings.Cut(line, "="); ok && inside && line[0] != '#' && strings.TrimSpace(crate) != "mta" {
			return strings.TrimSpace(crate)
		}
	}
	return ""
}

// knowsWasm tells whether a Rust compiler has the library of the target.
func (b *Builder) knowsWasm(ctx context.Context, compiler string) bool {
	out, err := exec.CommandContext(ctx, compiler, "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
	if err != nil {
		return false
	}
	found, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "libcore-*.rlib"))
	return len(found) > 0
}

func (b *Builder) assemblyScript(ctx context.Context, dir string, p Plugin) (string, error) {
	node, err := tool("install the Debian packages nodejs and npm", "node", "nodejs")
	if err != nil {
		return "", err
	}
	pkg, err := b.npm(ctx, dir, "assemblyscript")
	if err != nil {
		return "", err
	}
	// Incremental is the runtime whose garbage collector runs by itself.
	err = b.run(ctx, dir, nil, node, filepath.Join(pkg, "bin", "asc.js"), p.Entry, "-o", p.Result(), "-O3",
		"--runtime", "incremental", "--use", "abort=mta/assembly/abort/mta_abort")
	return filepath.Join(dir, p.Result()), err
}

// javaScript packs the script with its engine, a published module: nothing is
// compiled.
func (b *Builder) javaScript(ctx context.Context, dir string, p Plugin) (string, error) {
	pkg, err := b.npm(ctx, dir, "quickjs-wasi")
	if err != nil {
		return "", err
	}
	var parts [3][]byte
	for i, name := range []string{filepath.Join(pkg, "quickjs.wasm"), filepath.Join(dir, "mta", "mta.js"), filepath.Join(dir, p.Entry)} {
		if parts[i], err = os.ReadFile(name); err != nil {
			return "", err
		}
	}
	module, err := b.Pack(parts[0], parts[1], parts[2])
	if err != nil {
		return "", err
	}
	result := filepath.Join(dir, p.Result())
	return result, os.WriteFile(result, module, 0o644)
}

// python has nothing to build: what can be found out before the relay starts the
// program is whether it can run at all.
func (b *Builder) python(ctx context.Context, dir string, p Plugin) (string, error) {
	const remedy = "install the Debian packages python3 and python3-grpcio, or pip install grpcio protobuf"
	entry := filepath.Join(dir, p.Entry)
	program, err := tool(remedy, interpreter(entry))
	if err != nil {
		return "", err
	}
	if !b.knowsGRPC(ctx, program) {
		// Who has several interpreters often has gRPC for that of the system.
		if system := "/usr/bin/python3"; program != system && b.knowsGRPC(ctx, system) {
			return "", &Missing{"gRPC for " + program, fmt.Sprintf("%s has it: write #!%s on the first line of %s; or %s", system, system, entry, remedy)}
		}
		return "", &Missing{"gRPC for " + program, remedy}
	}
	// Nothing is written: only the syntax is looked at.
	if err := b.run(ctx, dir, nil, program, "-c", "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')", p.Entry); err != nil {
		return "", err
	}
	return entry, os.Chmod(entry, 0o755)
}

func (b *Builder) knowsGRPC(ctx context.Context, program string) bool {
	return exec.CommandContext(ctx, program, "-c", "import grpc, google.protobuf").Run() == nil
}

// interpreter is what the first line of a script names.
func interpreter(file string) string {
	text, _ := os.ReadFile(file) // that it is there was looked at
	line, _, _ := strings.Cut(string(text), "\n")
	words := strings.Fields(strings.TrimPrefix(line, "#!"))
	switch {
	case !strings.HasPrefix(line, "#!") || len(words) == 0:
		return "python3"
	case filepath.Base(words[0]) == "env" && len(words) > 1:
		return words[1]
	}
	return words[0]
}

// npm finds a package as node does, in node_modules of the folder and of those
// around it, and installs what package.json names when it is not there.
func (b *Builder) npm(ctx context.Context, dir, name string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := at; ; at = filepath.Dir(at) {
		if pkg := filepath.Join(at, "node_modules", name); exists(pkg, "package.json") {
			return pkg, nil
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	program, err := tool("install the Debian packages nodejs and npm", "npm")
	if err != nil {
		return "", err
	}
	b.say("installing the npm package %s into node_modules; this is done once", name)
	if err := b.run(ctx, dir, nil, program, "install", "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
		return "", err
	}
	pkg := filepath.Join(at, "node_modules", name)
	if !exists(pkg, "package.json") {
		return "", &Missing{"the npm package " + name, "add it to package.json: npm install --save-dev " + name}
	}
	return pkg, nil
}
