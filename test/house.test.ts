import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import {
  awsPlaces,
  distinctNames,
  entryAndRoom,
  entryShape,
  entryText,
  type Files,
  floors,
  lightFaces,
  noCircles,
  noProcess,
  plainNames,
  type Rule,
  realTests,
  sizes,
} from './support/house.ts'
import { ROOT } from './support/run-script.ts'

const rules: Record<string, Rule> = {
  floors,
  awsPlaces,
  sizes,
  entryShape,
  entryAndRoom,
  noProcess,
  lightFaces,
  realTests,
  distinctNames,
  noCircles,
  plainNames,
}

const project: Files = new Map(
  ['scripts', 'test'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file}`)
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .map((path) => [path, readFileSync(`${ROOT}${path}`, 'utf8')] as const),
  ),
)

for (const [name, rule] of Object.entries(rules))
  test(`the house: ${name}`, () => assert.equal(rule(project).join('\n'), ''))

test('the house: every entry is executable', () => {
  const entries = [...project.keys()].filter((path) => /^scripts\/(recipes\/)?(?!prestage)[^/]+\.mjs$/.test(path))
  assert.ok(entries.length >= 11)
  assert.deepEqual(
    entries.filter((path) => (statSync(`${ROOT}${path}`).mode & 0o111) === 0),
    [],
  )
})

test('the house: production installs nothing that only comes as an optional peer', () => {
  const { packages } = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as {
    packages: Record<string, { devOptional?: true }>
  }
  assert.deepEqual(
    Object.keys(packages).filter((path) => packages[path]?.devOptional),
    [],
  )
})

const long = (lines: number) => 'const a = 1\n'.repeat(lines)

/** Each of these breaks a rule: a rule that lets one pass proves nothing. */
const bad: [rule: Rule, what: string, files: Record<string, string>][] = [
  [floors, 'a step imports a step', { 'scripts/train/a.ts': "import { b } from '../extract/b.ts'" }],
  [floors, 'a step imports a step for its type', { 'scripts/train/a.ts': "import type { B } from '../extract/b.ts'" }],
  [floors, 'a step imports a step late', { 'scripts/train/a.ts': "const b = await import('../extract/b.ts')" }],
  [floors, 'a step imports a step in a type', { 'scripts/train/a.ts': "type B = import('../extract/b.ts').B" }],
  [floors, 'a step hands a step on', { 'scripts/train/a.ts': "export * from '../extract/b.ts'" }],
  [floors, 'a step from deeper down', { 'scripts/stage/copy/a.ts': "import { b } from '../../score/b.ts'" }],
  [
    floors,
    'settings import a stack at once',
    { 'scripts/lib/cli/settings.ts': "import { a } from '../aws/cloudformation/stack.ts'" },
  ],
  [
    floors,
    'another of the kit asks for a stack',
    { 'scripts/lib/cli/main.ts': "await import('../aws/cloudformation/stack.ts')" },
  ],
  [floors, 'the nights import the pipeline', { 'scripts/nightly/a.ts': "import { b } from '../pipeline/b.ts'" }],
  [floors, 'a step imports the nights', { 'scripts/train/a.ts': "import { b } from '../nightly/b.ts'" }],
  [floors, 'a step imports the pipeline', { 'scripts/train/a.ts': "import { b } from '../pipeline/b.ts'" }],
  [floors, 'stores imports runs', { 'scripts/lib/stores/a.ts': "import { b } from '../runs/b.ts'" }],
  [floors, 'ground imports stores', { 'scripts/lib/sources/a.ts': "import { b } from '../stores/b.ts'" }],
  [floors, 'ground imports ground', { 'scripts/lib/insights/a.ts': "import { b } from '../sources/b.ts'" }],
  [floors, 'ground imports the context', { 'scripts/lib/aws/a.ts': "import type { C } from '../cli/context.ts'" }],
  [floors, 'a room imports an entry', { 'scripts/train/a.ts': "import '../stage.mjs'" }],
  [floors, 'a room imports a test', { 'scripts/train/a.ts': "import { b } from '../../test/support/b.ts'" }],
  [awsPlaces, 'the SDK in a face', { 'scripts/stage/command.ts': "await import('@aws-sdk/client-s3')" }],
  [awsPlaces, 'the SDK in stores', { 'scripts/lib/stores/open.ts': "import { S3 } from '@aws-sdk/client-s3'" }],
  [awsPlaces, 'a type of it', { 'scripts/lib/runs/run.ts': "import type { A } from '@smithy/types'" }],
  [sizes, 'a long file', { 'scripts/stage/a.ts': long(301) }],
  [sizes, 'a long test', { 'test/stage/a.test.ts': long(301) }],
  [entryShape, 'another interpreter', { 'scripts/stage.mjs': entryText('stage').replace('env zx', 'env node') }],
  [entryShape, "another script's room", { 'scripts/stage.mjs': entryText('train') }],
  [entryShape, 'a line more', { 'scripts/stage.mjs': `${entryText('stage')}process.exit()\n` }],
  [entryAndRoom, 'an entry without a room', { 'scripts/stage.mjs': entryText('stage') }],
  [entryAndRoom, 'a face without an entry', { 'scripts/stage/command.ts': '' }],
  [noProcess, 'arguments', { 'scripts/stage/a.ts': 'const [, , a] = process.argv' }],
  [noProcess, 'standard output', { 'scripts/lib/insights/a.ts': "process.stdout.write('a')" }],
  [noProcess, 'the environment', { 'scripts/lib/stores/a.ts': 'const a = { ...process.env }' }],
  [noProcess, 'exit from a face', { 'scripts/stage/command.ts': 'process.exitCode = 3' }],
  [noProcess, 'the whole of it', { 'scripts/stage/a.ts': 'const p = process' }],
  [noProcess, 'by another way', { 'scripts/stage/a.ts': 'globalThis.process.exit(1)' }],
  [noProcess, 'the module of it', { 'scripts/stage/a.ts': "import process from 'node:process'" }],
  [noProcess, 'a part of its module', { 'scripts/stage/a.ts': "import { argv } from 'node:process'" }],
  [noProcess, 'other processes', { 'scripts/lib/runs/a.ts': 'process.kill(1, 0)' }],
  [noProcess, 'the kit, too', { 'scripts/lib/cli/run.ts': 'process.exitCode = 1' }],
  [noProcess, 'the console', { 'scripts/report/a.ts': "console.log('a')" }],
  [
    lightFaces,
    'DuckDB in a face',
    { 'scripts/extract/command.ts': "import { DuckDBInstance } from '@duckdb/node-api'" },
  ],
  [
    lightFaces,
    'fastify behind two others',
    {
      'scripts/deploy/command.ts': "import { a } from './a.ts'",
      'scripts/deploy/a.ts': "export { b } from '../lib/aws/b.ts'",
      'scripts/lib/aws/b.ts': "import fastify from 'fastify'",
    },
  ],
  [lightFaces, 'types inline still load', { 'scripts/a/command.ts': "import { type F } from 'fastify'" }],
  [
    distinctNames,
    'a function called like another one',
    {
      'scripts/train/a.ts': 'export const planOf = () => 1',
      'scripts/stage/b.ts': 'export async function planOf() {}',
    },
  ],
  [
    noCircles,
    'two files that import each other',
    { 'scripts/stage/a.ts': "import './b.ts'", 'scripts/stage/b.ts': "import './a.ts'" },
  ],
  [
    noCircles,
    'a circle of three that is closed by a type',
    {
      'scripts/stage/a.ts': "import { b } from './copy/b.ts'",
      'scripts/stage/copy/b.ts': "export { c } from './c.ts'",
      'scripts/stage/copy/c.ts': "import type { A } from '../a.ts'",
    },
  ],
  [plainNames, 'a preposition', { 'scripts/train/in-sagemaker.ts': '' }],
  [realTests, 'no test at all', { 'test/a.test.ts': "import { test } from 'node:test'" }],
  [realTests, 'one test only', { 'test/a.test.ts': "test.only('a', () => {})\ntest('b', () => {})" }],
]

for (const [rule, what, files] of bad)
  test(`a rule reports: ${what}`, () => assert.notDeepEqual(rule(new Map(Object.entries(files))), []))

/** None of these breaks any rule. */
const good: [what: string, files: Record<string, string>][] = [
  [
    'a step on lower floors',
    { 'scripts/train/a.ts': "import { b } from '../lib/runs/b.ts'\nimport { c } from './c.ts'" },
  ],
  ['runs on stores', { 'scripts/lib/runs/a.ts': "import { b } from '../stores/b.ts'" }],
  ['ground on errors', { 'scripts/lib/sources/a.ts': "import { UserError } from '../cli/errors.ts'" }],
  ['the nights on a step', { 'scripts/nightly/a.ts': "await import('../train/command.ts')" }],
  ['the pipeline on a step', { 'scripts/pipeline/a.ts': "await import('../train/command.ts')" }],
  ['the SDK where it belongs', { 'scripts/stage/copy/batch.ts': "import { A } from '@aws-sdk/client-s3-control'" }],
  ['the SDK in a longer name', { 'scripts/deploy/sagemaker-endpoint.ts': "import '@aws-sdk/client-sagemaker'" }],
  ['a full file', { 'scripts/stage/a.ts': long(300) }],
  ['which Node this is', { 'scripts/lib/runs/a.ts': 'const node = process.version' }],
  ['a member called so', { 'scripts/stage/a.ts': 'job.process.start()\nconst a = { process: 1, console: 2 }' }],
  ['a word in a comment', { 'scripts/stage/a.ts': "// console.log(process.env)\nconst a = 'process.env'" }],
  [
    'names that only one file exports, and commands',
    {
      'scripts/stage/a.ts':
        'export function cut(a: string): void\nexport function cut(a: number): void\nconst of = () => 1',
      'scripts/train/a.ts': 'const of = () => 2\nexport const cutter = of()',
      'scripts/prestage.mjs': 'export const command = () => 1',
      'scripts/recipes/a.mjs': 'export const command = () => 2',
    },
  ],
  [
    'two that import a third, and one that is loaded late by it',
    {
      'scripts/stage/a.ts': "import './c.ts'\nimport './b.ts'",
      'scripts/stage/b.ts': "import './c.ts'",
      'scripts/stage/c.ts': "const a = () => import('./a.ts')",
    },
  ],
  [
    'late and in types only',
    {
      'scripts/deploy.mjs': entryText('deploy'),
      'scripts/deploy/command.ts': "import type { F } from 'fastify'\nconst f = () => import('fastify')",
    },
  ],
]

for (const [what, files] of good)
  test(`no rule reports: ${what}`, () => {
    for (const rule of Object.values(rules)) assert.deepEqual(rule(new Map(Object.entries(files))), [])
  })
