package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

const (
	nameRhea = "rhea"
	rheaDist = "rhea@3.0.5" // the package of npm, and its version
)

// rheaScript is the broker.
//
//go:embed rhea.js
var rheaScript string

// startRhea starts rhea.js on Node. The library is fetched once, into the user's cache.
func startRhea(ctx context.Context, dir string) (*broker, error) {
	for _, program := range []string{"node", "npm"} {
		if err := installed(program); err != nil {
			return nil, err
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = dir
	}
	modules := filepath.Join(cache, "passback-bench", rheaDist)
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "rhea", "package.json")); err != nil {
		install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", modules, rheaDist)
		if out, err := install.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm install %s: %w (%w)\n%s", rheaDist, errNotInstalled, err, out)
		}
	}
	script := filepath.Join(dir, "rhea.js")
	if err := os.WriteFile(script, []byte(rheaScript), 0o600); err != nil {
		return nil, fmt.Errorf("write the broker: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	b := &broker{
		name: nameRhea, url: fmt.Sprintf("amqp://127.0.0.1:%d", port), sasl: goamqp.SASLTypeAnonymous(),
		cmd: exec.CommandContext(ctx, "node", script, fmt.Sprint(port)),
	}
	b.cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	return b, b.start(ctx, 20*time.Second)
}
