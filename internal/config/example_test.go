package config_test

import (
	"fmt"
	"io/fs"
	"testing/fstest"

	"jstsync/internal/config"
)

func ExampleLoad() {
	disk := fstest.MapFS{"jstsync.yaml": {Mode: 0o600, Data: []byte(`
source: {app_key: k, app_secret: "${JST_APP_SECRET}"}
pipelines:
  shops:
    tabel: my_shops
`)}}
	host := config.Host{
		LookupEnv: func(string) (string, bool) { return "", false },
		Open:      func(name string) (fs.File, error) { return disk.Open(name) },
	}
	_, err := config.Load("", host)
	fmt.Println(err)
	// Output: jstsync.yaml:5:5: pipelines.shops: unknown key "tabel"; did you mean "table"?
}
