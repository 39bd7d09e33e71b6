package config

// Template is a commented jstsync.yaml with every key. What it says is what
// holds without it; secrets come from the environment.
const Template = `# Settings of jstsync. Every key may be left out and then has the value shown here.
#
# ${NAME} and ${NAME:-default} are filled from the environment; $$ is a dollar.
# Any secret, and app_key, may also be given as NAME_file: the path of a file that holds it.
# Keep this file to yourself (chmod 600) when a secret stands in it.
#
#   jstsync config check     validates it
#   jstsync config schema    prints its JSON Schema, with which editors complete it
#   jstsync plan             tries it, and writes nothing

state: ${JSTSYNC_STATE:-jstsync.db}     # on a local disk, never on NFS
lock_timeout: 5s                        # how long to wait for another runner

source:                                 # for several accounts see the end
  base_url: ${JST_BASE_URL:-https://openapi.jushuitan.com}
  app_key: ${JST_APP_KEY}
  app_secret: ${JST_APP_SECRET}
  access_token: ${JST_ACCESS_TOKEN:-}   # not needed once jstsync auth has stored one
  page_size: 100                        # 1 to 100
  rate: {per_second: 5, per_minute: 100}
  timeout: 30s                          # one call
  retry: {max_attempts: 6, max_elapsed: 5m}
  record: {dir: "", keep: 7d}           # name a directory to keep the body of every answer

target:
  dsn: ${MYSQL_DSN}                     # user:password@tcp(host:3306)/database

pipelines:
  shops:
    resource: shops
    table: jst_shops
    key: [shop_id]                      # source fields
    every: 5m                           # or cron: "*/5 8-22 * * *"; read by jstsync serve
    deletes: hard                       # hard: deleted; soft: deleted_at is set; keep: left as it is
    guard: {max_deletes: 5, max_delete_percent: 10, max_updates: 20, max_update_percent: 50, allow_empty: false}
    shared: false                       # true: other pipelines own other rows of this table
    changes_table: ""                   # name a table, and each change is also written there
    columns: []                         # empty: the default columns of the resource; or for example
    # - {name: id, from: shop_id, type: BIGINT}
    # - {name: title, from: shop_name, type: VARCHAR(255), nullable: true, comment: 店铺名称, default: "", clean: [trim, nfc]}
    # - {name: site, expr: 'shop_site ?? "-"', type: VARCHAR(64)}
    rules: []                           # data-quality rules; for example
    # - {name: has a name, not_null: shop_name, on_fail: quarantine}   # warn, quarantine or fail
    # - {name: one of a kind, unique: [shop_name]}                     # also length, range, regex, one_of
    # - {name: is not closed, expr: 'shop_name != "closed"', on_fail: warn}

audit: {keep: 400d, max_runs: 0}        # 0: as many as keep allows
plan: {valid: 24h}                      # how long a saved plan may be applied
serve: {listen: "127.0.0.1:8321", token: "${JSTSYNC_TOKEN:-}", time_zone: Asia/Shanghai, language: zh}

alerts:
  channels: []                          # dingtalk, wecom, feishu or webhook; for example
  # - {name: ops, kind: dingtalk, url: "${DINGTALK_URL}", secret: "${DINGTALK_SECRET:-}"}
  rules: {failed_after: 3, stale_after: 30m, authorization_days: 7, token_days: 3}

# Several accounts, in the place of source; each pipeline then says which one it reads:
#
# sources:
#   first: {app_key: "${FIRST_KEY}", app_secret: "${FIRST_SECRET}"}
#   second: {app_key: "${SECOND_KEY}", app_secret: "${SECOND_SECRET}"}
# pipelines:
#   first_shops: {source: first, table: first_shops}
#   second_shops: {source: second, table: second_shops}
`
