import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { decodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import type { Request } from '../../scripts/lib/runs/request.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { createRun } from '../../scripts/lib/runs/workspace.ts'
import { stageResult } from './results.ts'
import { runScript } from './run-script.ts'

const REQUEST: Request = {
  source: 'cloudtrail',
  logs: '/logs',
  from: '2026-03-02T00:00:00.000Z',
  to: '2026-03-03T00:00:00.000Z',
  accounts: [],
  regions: [],
  keys: 'list',
}

/** A run whose staged objects are these files, as if they had been copied. */
export async function stagedRun(
  workspace: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  change: Partial<Request> = {},
): Promise<Run> {
  const run = await createRun(workspace, { ...REQUEST, ...change })
  for (const [name, content] of Object.entries(files)) {
    const path = join(run.path('staged'), name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  const plan = { settings: {}, inputs: [], overwrite: false }
  await run.step('stage', plan, async () => stageResult({ objects: Object.keys(files).length, bytes: 0 }))
  return run
}

/** Runs extract as a process. */
export async function extract(workspace: string, args: readonly string[] = []) {
  const ended = await runScript('extract', ['--workspace', workspace, '--output', 'json', ...args])
  return { ...ended, result: ended.code === 0 ? JSON.parse(ended.stdout) : undefined }
}

export type Part = 'train' | 'holdout'

/** The pairs of one part, decoded: `entity ip`, sorted. */
export const pairsOf = (run: { path(key: string): string }, part: Part): string[] =>
  readFileSync(run.path(`pairs/${part}/part-00000.csv`), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((row) => `${decodeEntity(row.slice(0, row.lastIndexOf(',')))} ${row.slice(row.lastIndexOf(',') + 1)}`)
    .sort()

/** The same of both parts, by the folder of the run. */
export const pairsIn = (folder: string): string[] =>
  (['train', 'holdout'] as const).flatMap((part) => pairsOf({ path: (key: string) => `${folder}/${key}` }, part)).sort()
