// How GitOps tools judge objects: Flux by the kstatus library, Argo CD by a Lua script. Both are asked about each object, so that a test can compare them.
//
// Usage: health SCRIPT <OBJECTS: JSON objects, one after the other; prints for each, on a line of its own, {"kstatus": {status, message}, "argocd": {status, message}}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func kstatus(object *unstructured.Unstructured) (verdict, error) {
	result, err := status.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	return verdict{string(result.Status), result.Message}, nil
}

// The value in Lua, as Argo CD hands an object to a script.
func inLua(l *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		table := l.NewTable()
		for _, member := range value {
			table.Append(inLua(l, member))
		}
		return table
	case map[string]any:
		table := l.NewTable()
		for name, member := range value {
			table.RawSetString(name, inLua(l, member))
		}
		return table
	default:
		return lua.LNil
	}
}

// Argo CD gives a script the base, package and table libraries and a second's time; there is no string library. (Of os it leaves the clock alone, which no script here needs.)
func argocd(script string, object *unstructured.Unstructured) (verdict, error) {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return verdict{}, err
		}
	}
	within, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.SetContext(within)
	l.SetGlobal("obj", inLua(l, object.Object))
	if err := l.DoString(script); err != nil {
		return verdict{}, err
	}
	health, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return verdict{}, errors.New("the script returns no table")
	}
	return verdict{lua.LVAsString(health.RawGetString("status")), lua.LVAsString(health.RawGetString("message"))}, nil
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("usage: health SCRIPT <OBJECTS")
	}
	script, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	objects, verdicts := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var raw json.RawMessage
		if err := objects.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(raw); err != nil {
			return err
		}
		flux, err := kstatus(&object)
		if err != nil {
			return fmt.Errorf("kstatus: %w", err)
		}
		argo, err := argocd(string(script), &object)
		if err != nil {
			return fmt.Errorf("%s: %w", os.Args[1], err)
		}
		if err := verdicts.Encode(map[string]verdict{"kstatus": flux, "argocd": argo}); err != nil {
			return err
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
