import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { sources } from '../scripts/lib/sources/registry.ts'
import { commandLinesIn, faultIn } from './support/command-lines.ts'
import { commandOf, scriptNames } from './support/commands.ts'
import { optionsPage } from './support/options-page.ts'
import { ROOT } from './support/run-script.ts'

const read = (name: string): string => readFileSync(`${ROOT}${name}`, 'utf8')

test('docs/options.md is the help of every command (npm run docs)', async () =>
  assert.equal(read('docs/options.md'), optionsPage(await Promise.all(scriptNames.map(commandOf)))))

test('README: short enough to be read', () => assert.ok(read('README.md').split('\n').length - 1 <= 250))

test('README: begins with the commands that install, test and show', () => {
  for (const words of ['npm ci', 'npm test', 'scripts/pipeline.mjs --demo'])
    assert.ok(read('README.md').includes(words))
})

test('README: every source is in its table, with its entities, the default first', () => {
  const rows = [...read('README.md').matchAll(/^\| `(\w+)` \| [^|]+ \| (`[a-z0-9@-]+`(?:, `[a-z0-9@-]+`)*) \|$/gm)]
  const told = Object.fromEntries(
    rows.map(([, id = '', entities = '']) => [id, entities.replaceAll('`', '').split(', ')]),
  )
  const known = Object.values(sources).map(({ id, entities, defaultEntity }) => {
    const others = Object.keys(entities).filter((name) => name !== defaultEntity)
    return [id, [defaultEntity, ...others]]
  })
  assert.deepEqual(told, Object.fromEntries(known))
})

test('README: every command and every page of docs is named', () => {
  const named = [
    ...scriptNames.map((name) => `](docs/options.md#${name})`),
    ...readdirSync(`${ROOT}docs`).map((name) => `](docs/${name}`),
  ]
  assert.deepEqual(
    named.filter((link) => !read('README.md').includes(link)),
    [],
  )
})

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'sql/README.md',
  'test/sandbox/README.md',
  'test/sandbox/beliefs.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** Where a document's links lead: the file, empty for itself, and the section, empty for the whole. */
const linksIn = (document: string): { link: string; path: string; anchor: string }[] =>
  [...read(document).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(
    ([link, path = '', anchor = '']) => ({
      link,
      path: path === '' ? document : join(dirname(document), path),
      anchor,
    }),
  )

/** The sections of a document, as a link names them. */
const anchorsIn = (document: string): string[] =>
  [
    ...read(document)
      .replace(/^```.*?^```/gms, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )

for (const document of documents) {
  test(`${document}: every command line would be taken`, async () => {
    const faults = await Promise.all(commandLinesIn(read(document)).map(faultIn))
    assert.deepEqual(
      faults.filter((fault) => fault !== undefined),
      [],
    )
  })

  test(`${document}: every npm script that is named exists`, () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...read(document).matchAll(/npm (test|run (?:--silent )?([a-z:]+))/g)]
    assert.deepEqual(
      named.map(([, name, script]) => script ?? name ?? '').filter((name) => !(name in scripts)),
      [],
    )
  })

  test(`${document}: every file and section that is linked exists`, () => {
    const isDead = ({ path, anchor }: { path: string; anchor: string }) =>
      !existsSync(`${ROOT}${path}`) || (anchor !== '' && !anchorsIn(path).includes(anchor))
    assert.deepEqual(
      linksIn(document)
        .filter(isDead)
        .map(({ link }) => link),
      [],
    )
  })
}

test('a link is found with its file and its section', () => {
  assert.ok(linksIn('README.md').some(({ path, anchor }) => path === 'docs/options.md' && anchor === 'stage'))
  assert.ok(anchorsIn('docs/options.md').includes('stage'))
})

const written: [text: string, lines: string[]][] = [
  ['```\nnpx zx scripts/stage.mjs --last 24h\n```', ['scripts/stage.mjs --last 24h']],
  ['run `node scripts/stage.mjs -n`, then', ['scripts/stage.mjs -n']],
  ['npx zx scripts/stage.mjs \\\n    --last 24h   # a day', ['scripts/stage.mjs --last 24h']],
  ['npx zx scripts/score.mjs -o json | jq .flagged', ['scripts/score.mjs -o json']],
  ['npm ci && npx zx scripts/pipeline.mjs --demo && echo', ['scripts/pipeline.mjs --demo']],
  ['scripts/*.mjs are the entries, scripts/prestage.mjs is a module', []],
  ['`scripts/recipes/x.mjs --month 2026-10`', ['scripts/recipes/x.mjs --month 2026-10']],
]

for (const [text, lines] of written)
  test(`command lines in ${JSON.stringify(text)}`, () => assert.deepEqual(commandLinesIn(text), lines))

const faulty: [line: string, says: RegExp | undefined][] = [
  ['scripts/stage.mjs --last 24h -n', undefined],
  ["scripts/stage.mjs --logs './my logs' --account 012345678901", undefined],
  ['scripts/stage.mjs --logs URI --account ID --workspace <folder>', undefined],
  ['scripts/stage.mjs --lst 24h', /unknown option --lst/],
  ['scripts/stage.mjs --account 12', /must be 12 digits/],
  ['scripts/stage.mjs --source elb', /must be one of/],
  ['scripts/stage.mjs now', /stray argument/],
  ['scripts/stages.mjs --last 24h', /no script stages/],
  ['scripts/recipes/none.mjs', /there is no scripts\/recipes\/none\.mjs/],
]

for (const [line, says] of faulty)
  test(`a command line: ${line}`, async () => {
    const fault = await faultIn(line)
    if (says === undefined) assert.equal(fault, undefined)
    else assert.match(fault ?? '', says)
  })
