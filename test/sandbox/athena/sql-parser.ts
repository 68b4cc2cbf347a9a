import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { HiveSQL, TrinoSQL } from 'dt-sql-parser'
import { buildSync } from 'esbuild'

const require = createRequire(import.meta.url)
const NODE_MODULES = fileURLToPath(new URL('../../../node_modules/', import.meta.url))
const PACKAGE = `${NODE_MODULES}dt-sql-parser/`
const CACHE = `${NODE_MODULES}.cache/prestage/sql-parser/`

/** Trino's own grammar. */
export const trinoParser = (): TrinoSQL => new (dialect('trino').TrinoSQL)()

/** Hive's own grammar. */
export const hiveParser = (): HiveSQL => new (dialect('hive').HiveSQL)()

interface Dialect {
  readonly TrinoSQL: new () => TrinoSQL
  readonly HiveSQL: new () => HiveSQL
}

/** One dialect as a single file that is kept: the package has eight, loads all of them, and names its files as bundlers alone read them. */
function dialect(name: string): Dialect {
  const { version } = JSON.parse(readFileSync(`${PACKAGE}package.json`, 'utf8')) as { version: string }
  const kept = `${CACHE}${version}-${name}.cjs`
  if (!existsSync(kept)) {
    mkdirSync(CACHE, { recursive: true })
    const draft = `${kept}.${process.pid}`
    const entryPoints = [`${PACKAGE}dist/parser/${name}/index.js`]
    buildSync({ entryPoints, outfile: draft, bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' })
    renameSync(draft, kept)
  }
  return require(kept)
}
