// Loads TypeScript for the tests under Node 20. A loader with hooks, as tsx is, asks another thread about every import, and half of
// the time that a test process takes to start is that. Here Node's own loader reads `.ts` as it reads `.js`, with the types taken out
// by esbuild and kept on disk. Needs --expose-internals; without what it knows of Node's inside it is tsx that loads.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const load = createRequire(import.meta.url)
/** Has no types of its own. @type {string} */
const TSX = 'tsx'
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/prestage/typescript/', import.meta.url))

/**
 * Turns the source of a module into a module.
 * @typedef {(this: unknown, url: string, source: string | Uint8Array, isMain: boolean) => unknown} Translator
 */

/**
 * What Node's loader knows of kinds of files, and does with them.
 * @returns {{ formats: Record<string, string>, translators: Map<string, Translator> } | undefined}
 */
function insideOfNode() {
  try {
    const { extensionFormatMap: formats } = load('internal/modules/esm/formats')
    const { translators } = load('internal/modules/esm/translators')
    return formats['.mjs'] === 'module' && translators.has('module') ? { formats, translators } : undefined
  } catch {
    return undefined
  }
}

const inside = insideOfNode()
const translate = inside?.translators.get('module')
if (inside === undefined || translate === undefined) await import(TSX)
else {
  mkdirSync(FOLDER, { recursive: true })
  process.setSourceMapsEnabled(true)
  inside.formats['.ts'] = 'module'
  inside.translators.set('module', function (url, source, isMain) {
    const text = url.endsWith('.ts') ? withoutTypes(fileURLToPath(url), String(source)) : source
    return translate.call(this, url, text, isMain)
  })
}

/** @param {string} path @param {string} text */
function withoutTypes(path, text) {
  const kept = `${FOLDER}${createHash('sha1').update(path).update('\0').update(text).digest('hex')}.js`
  try {
    return readFileSync(kept, 'utf8')
  } catch {
    const { code } = load('esbuild').transformSync(text, {
      loader: 'ts',
      target: 'node20.18',
      sourcefile: path,
      sourcemap: 'inline',
      sourcesContent: false,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    })
    const draft = `${kept}.${process.pid}`
    writeFileSync(draft, code)
    renameSync(draft, kept)
    return code
  }
}
