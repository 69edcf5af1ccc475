// compose-check FILE reads a Compose file as `docker compose` does and prints the project as JSON.
//
// A file that the loader refuses, or warns of (a variable without a value), is exit code 1 with the
// loader's words on standard error.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/sirupsen/logrus"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: compose-check FILE")
		os.Exit(2)
	}
	warned := &warnings{}
	logrus.AddHook(warned)
	project, err := load(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if warned.count > 0 {
		os.Exit(1) // logrus has said why
	}
	os.Stdout.Write(project)
}

// load takes variables from the environment first, then from a .env file beside the Compose file,
// and keeps the services of every profile.
func load(file string) ([]byte, error) {
	options, err := cli.NewProjectOptions(
		[]string{file}, cli.WithOsEnv, cli.WithEnvFiles(), cli.WithDotEnv, cli.WithProfiles([]string{"*"}),
	)
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project.MarshalJSON()
}

type warnings struct{ count int }

func (*warnings) Levels() []logrus.Level { return []logrus.Level{logrus.WarnLevel} }

func (w *warnings) Fire(*logrus.Entry) error {
	w.count++
	return nil
}
