import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { command as toy } from './lib/cli/fixture/toy/command.ts'
import { commandLinesIn, faultIn } from './support/command-lines.ts'
import { commandOf, scriptNames } from './support/commands.ts'
import { SHARED, sectionIn, sectionOf, sharedSection, withOptions } from './support/readme.ts'
import { ROOT } from './support/run-script.ts'

const read = (name: string): string => readFileSync(`${ROOT}${name}`, 'utf8')

for (const name of scriptNames)
  test(`README: the section of ${name} is its help (npm run docs)`, async () =>
    assert.equal(sectionIn(read('README.md'), name), sectionOf(await commandOf(name))))

test('README: what all scripts have alike is there once (npm run docs)', () =>
  assert.equal(sectionIn(read('README.md'), SHARED), sharedSection()))

test('README: a section for every script, in the order of their use, each with a heading', () => {
  const sections = [...read('README.md').matchAll(/\n### (.*)\n\n<!-- options:(.*?) -->/g)]
  assert.deepEqual(
    sections.map(([, heading, name]) => [heading, name]),
    [...scriptNames.map((name) => [name, name]), ['Every script', SHARED]],
  )
})

test('README: the main command is there', () =>
  assert.ok(commandLinesIn(read('README.md')).includes('scripts/pipeline.mjs --demo')))

const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'sql/README.md', 'test/sandbox/README.md']

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

  test(`${document}: every file that is linked exists`, () => {
    const links = [...read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, path]) => path ?? '')
    assert.deepEqual(
      links.filter((path) => !existsSync(`${ROOT}${dirname(document)}/${path}`)),
      [],
    )
  })
}

test('README: every section that is linked exists', () => {
  const readme = read('README.md').replace(/^```.*?^```/gms, '')
  const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
  const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor)
  assert.ok(links.length > 0)
  assert.deepEqual(
    links.filter((anchor) => !anchors.includes(anchor)),
    [],
  )
})

const written: [text: string, lines: string[]][] = [
  ['```\nnpx zx scripts/stage.mjs --last 24h\n```', ['scripts/stage.mjs --last 24h']],
  ['run `node scripts/stage.mjs -n`, then', ['scripts/stage.mjs -n']],
  ['npx zx scripts/stage.mjs \\\n    --last 24h   # a day', ['scripts/stage.mjs --last 24h']],
  ['npx zx scripts/score.mjs -o json | jq .flagged', ['scripts/score.mjs -o json']],
  ['npm ci && npx zx scripts/pipeline.mjs --demo && echo', ['scripts/pipeline.mjs --demo']],
  ['scripts/*.mjs are the entries', []],
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
]

for (const [line, says] of faulty)
  test(`a command line: ${line}`, async () => {
    const fault = await faultIn(line)
    if (says === undefined) assert.equal(fault, undefined)
    else assert.match(fault ?? '', says)
  })

test('npm run docs replaces what lies between the markers, and nothing else', () => {
  const [a, z] = ['# A\n<!-- options:toy -->', `<!-- /options:toy -->\nthe rest\n${sharedSection()}\n`]
  const fresh = withOptions(`${a}${z}`, [toy])
  assert.equal(fresh, `# A\n${sectionOf(toy)}\nthe rest\n${sharedSection()}\n`)
  assert.equal(withOptions(fresh, [toy]), fresh)
  assert.equal(withOptions(fresh.replace('do what', 'do as'), [toy]), fresh)
  for (const text of ['', a, z, `${z}${a}`]) assert.throws(() => withOptions(text, [toy]), /has no section/)
})
