import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { athenaSandbox, WORKSPACE } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const WINDOW = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-04']
const SMALL = ['--vector-dim', '16', '--mini-batch-size', '200', '--learning-rate', '0.02']
const PAID = ['--sagemaker-role', 'arn:aws:iam::111122223333:role/prestage-sagemaker', '--yes']

type Line = Record<string, unknown>

const linesOf = (folder: string): Line[] =>
  readFileSync(join(folder, 'verdicts.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

/** Names and types of all that a value holds: `entity: string, seen: {ip: boolean}`. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].sort().join(' | ')}]`
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}: ${shapeOf(each)}`)
    .join(', ')}}`
}

it('pairs of a laptop train in SageMaker, pairs of Athena on a laptop; verdicts of both have one schema', async () => {
  const { sandbox, run, stage } = await athenaSandbox()
  const [logs, folder] = [await fewObjects(), tempFolder()]
  await sandbox.s3.load('org-logs', logs)
  const script = async (name: string, ...args: readonly string[]) => {
    const ended = await runScript(name, [...args, '--output', 'json'], { env: sandbox.env, cwd: folder })
    assert.equal(ended.code, 0, ended.stderr)
    return JSON.parse(ended.stdout) as Line
  }

  const local = ['--workspace', join(folder, 'workspace')]
  const { run: here } = await script('stage', ...WINDOW, '--logs', logs, ...local)
  await script('extract', ...local)
  const filesIn = (part: string) => {
    const below = join(folder, 'workspace/runs', String(here), 'pairs', part)
    return readdirSync(below).map((name) => join(below, name))
  }
  const [holdout = ''] = filesIn('holdout')
  const pairs = filesIn('train').flatMap((file) => ['--pairs', file])
  // The stack's role may read and write runs of its workspace alone.
  const trained = await script('train', ...pairs, '--holdout', holdout, '--model', WORKSPACE, ...SMALL, ...PAID)
  const model = String(trained.model)
  await script('deploy', '--model', model, ...PAID)
  const inAws = await script('score', '--pairs', holdout, '--model', model, '--scores', 'aws')

  assert.ok((await stage('cloudtrail', WINDOW.slice(2))).result)
  const { result: extracted, stderr } = await run('extract', ['--yes'])
  assert.ok(extracted, stderr)
  const there = `${WORKSPACE}/bulk/${extracted.run}/pairs`
  const args = ['--pairs', `${there}/train/`, '--holdout', `${there}/holdout/`, '--model', './model']
  const embedded = await script('train', ...args, ...SMALL)
  const onLaptop = await script('score', '--pairs', `${there}/holdout/`, '--model', './model', '--scores', 'laptop')

  await script('train', ...SMALL, ...local)
  await script('score', ...local)

  for (const field of ['pairs', 'holdoutPairs', 'entities']) assert.equal(trained[field], embedded[field], field)
  for (const field of ['scored', 'unseen', 'sparse']) assert.equal(inAws[field], onLaptop[field], field)
  const aws = linesOf(join(folder, 'aws'))
  // Files of pairs have no IPv6.
  const ofRun = linesOf(join(folder, 'workspace/runs', String(here), 'scores/holdout'))
  assertOneSchema(
    aws,
    ofRun.filter(({ verdict }) => verdict !== 'evidence'),
  )
  // A model in a folder does not have the accesses it was trained with, so nothing tells what was seen before.
  for (const line of aws) assert.equal(line.reasons !== undefined, line.flagged)
  const withoutHistory = aws.map(({ seen: _, reasons: __, ...line }) => line)
  assertOneSchema(withoutHistory, linesOf(join(folder, 'laptop')))
  assert.deepEqual(sandbox.violations, [])
})

const bare = (line: Line | undefined) =>
  line && Object.fromEntries(Object.entries(line).filter(([name]) => name !== 'reasons'))

/** Line by line, the same pair has fields of the same names, in the same order, and of the same types. */
function assertOneSchema(some: readonly Line[], others: readonly Line[]): void {
  const keyOf = ({ entity, ip }: Line) => `${String(entity)},${String(ip)}`
  const byKey = new Map(others.map((line) => [keyOf(line), line]))
  assert.equal(byKey.size, some.length)
  const kinds = new Set<unknown>()
  for (const line of some) {
    const other = byKey.get(keyOf(line))
    // Only what is flagged has reasons, and the two models need not flag the same.
    const isAlike = other?.flagged === line.flagged
    assert.equal(shapeOf(isAlike ? other : bare(other)), shapeOf(isAlike ? line : bare(line)), keyOf(line))
    for (const field of ['entity', 'ip', 'verdict', 'accesses', 'seen'])
      assert.deepEqual(other?.[field], line[field], `${field} of ${keyOf(line)}`)
    kinds.add(line.verdict)
  }
  assert.ok(kinds.has('scored'))
}
